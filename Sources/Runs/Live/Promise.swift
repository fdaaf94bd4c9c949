import Dispatch
import Synchronization

/// A value that becomes known once, for those who wait for it.
package final class Promise<Value: Sendable>: Sendable {
  private struct Content {
    var value: Value?
    var waiting: [@Sendable (Value) -> Void] = []
  }

  private let content = Mutex(Content())

  package init() {}

  /// Tells the value. To be called once.
  package func set(_ value: Value) {
    let waiting = content.withLock { content in
      content.value = value
      defer { content.waiting = [] }
      return content.waiting
    }
    for body in waiting { body(value) }
  }

  /// Nil as long as it is not known.
  package var present: Value? { content.withLock { $0.value } }

  /// Calls `body` once with the value: here where it is known, else where it becomes known.
  private func whenKnown(_ body: @escaping @Sendable (Value) -> Void) {
    let value = content.withLock { content in
      if content.value == nil { content.waiting.append(body) }
      return content.value
    }
    if let value { body(value) }
  }

  /// Blocks until it is known.
  package func wait() -> Value {
    while true {
      if let value = present { return value }
      let known = DispatchSemaphore(value: 0)
      whenKnown { _ in known.signal() }
      known.wait()
    }
  }

  /// Suspends until it is known.
  package func value() async -> Value {
    await withCheckedContinuation { continuation in
      whenKnown { continuation.resume(returning: $0) }
    }
  }
}
