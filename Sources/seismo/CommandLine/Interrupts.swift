import Dispatch
import Foundation
import Synchronization

/// The signals that end a run, taken on a queue instead of in a handler; the newest that listens
/// takes them, for as long as it is there.
final class Interrupts {
  private let number: Int

  /// `onSignal` is called with the signal's number, on a queue of Dispatch's.
  init(_ numbers: [Int32], onSignal: @escaping @Sendable (Int32) -> Void) {
    number = SignalSources.shared.add(
      SignalSources.Listener(numbers: Set(numbers), onSignal: onSignal))
  }

  deinit {
    SignalSources.shared.remove(number)
  }
}

/// One source a signal, for as long as the program runs: where a source is made while another one of
/// its signal is still going, Dispatch leaves the signal ignored, and no process could be ended any
/// more.
private final class SignalSources: Sendable {
  struct Listener: Sendable {
    let numbers: Set<Int32>
    let onSignal: @Sendable (Int32) -> Void
  }

  private struct Content {
    var sources: [Int32: any DispatchSourceSignal] = [:]
    var listeners: [(number: Int, listener: Listener)] = []
    var added = 0
  }

  static let shared = SignalSources()

  /// A queue of its own has a thread of its own: those of the global ones may all be held up.
  private let queue = DispatchQueue(label: "seismo.signals", qos: .userInitiated)

  private let content = Mutex(Content())

  func add(_ listener: Listener) -> Int {
    content.withLock { content in
      content.added += 1
      content.listeners.append((content.added, listener))
      for number in listener.numbers where content.sources[number] == nil {
        content.sources[number] = source(of: number)
      }
      return content.added
    }
  }

  /// Returns once the signal is taken: one that came before would be ignored and lost.
  private func source(of number: Int32) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let isRegistered = DispatchSemaphore(value: 0)
    let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
    source.setEventHandler { SignalSources.shared.take(number) }
    source.setRegistrationHandler { isRegistered.signal() }
    source.resume()
    isRegistered.wait()
    return source
  }

  func remove(_ number: Int) {
    content.withLock { $0.listeners.removeAll { $0.number == number } }
  }

  private func take(_ signal: Int32) {
    let listener = content.withLock { content in
      content.listeners.last { $0.listener.numbers.contains(signal) }?.listener
    }
    listener?.onSignal(signal)
  }
}
