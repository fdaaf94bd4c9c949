import Dispatch
import Foundation

/// The signals that end a run, taken on a queue instead of in a handler.
final class Interrupts {
  private var sources: [any DispatchSourceSignal] = []

  /// `onSignal` is called with the signal's number, on a queue of Dispatch's.
  init(_ numbers: [Int32], onSignal: @escaping @Sendable (Int32) -> Void) {
    for number in numbers {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { onSignal(number) }
      source.resume()
      sources.append(source)
    }
  }
}
