import Dispatch
import Formats
import Sessions
import Synchronization
import Telemetry

/// Writes what a run tells to standard output, on a queue of its own, each line at once.
///
/// Where standard output is slow, no more than ``limit`` records wait for it. JSON lines are what was
/// asked for: the run waits then. Of plain lines some are left out and counted.
final class RecordPrinter: Sendable {
  typealias Writer = @Sendable (String) throws(StandardStream.Refusal) -> Void

  static let limit = 10_000

  private let queue = DispatchQueue(label: "seismo.printer")
  private let line: @Sendable (RunRecord) -> String?
  private let write: Writer
  private let holdsUp: Bool
  /// Places for records to wait in; those that are made once nobody waits any more do no harm.
  private let places = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  private struct State {
    var refusal: StandardStream.Refusal?
    var omitted = 0
    var isWaiting = true
  }

  init(
    _ watcher: Watcher, totalSteps: Int,
    write: @escaping Writer = { text throws(StandardStream.Refusal) in
      try StandardStream.output.write(text)
    }
  ) {
    self.write = write
    holdsUp = watcher == .json
    switch watcher {
    case .json: line = { Self.isOfAStep($0) ? JSONLines.line($0) : nil }
    case .lines, .dashboard:
      let printer = LinePrinter(totalSteps: totalSteps)
      line = { printer.line($0) }
    }
    for _ in 0..<Self.limit { places.signal() }
  }

  /// One object a step: what is measured of the last weights is in the event that ends the run.
  private static func isOfAStep(_ record: RunRecord) -> Bool {
    guard case .samples(let samples) = record else { return true }
    return samples[MetricCatalog.loss] != nil
  }

  func print(_ record: RunRecord) {
    guard takesPlace() else { return state.withLock { $0.omitted += 1 } }
    queue.async { [self] in
      defer { places.signal() }
      guard refusal == nil, let text = line(record) else { return }
      let omitted = state.withLock { state in
        defer { state.omitted = 0 }
        return state.omitted
      }
      do throws(StandardStream.Refusal) {
        if omitted > 0 { try write("\(omitted) records left out: standard output is slow\n") }
        try write(text + "\n")
      } catch {
        state.withLock { $0.refusal = error }
      }
    }
  }

  /// Whether the record may be put down; waits for that where none may be left out.
  private func takesPlace() -> Bool {
    guard holdsUp else { return places.wait(timeout: .now()) == .success }
    if state.withLock({ $0.isWaiting }) { places.wait() }
    return true
  }

  /// Holds the run up no more: it is to end, whether its lines can be written or not.
  func stopWaiting() {
    state.withLock { $0.isWaiting = false }
    places.signal()
  }

  /// What ended the printing; the run goes on without it.
  var refusal: StandardStream.Refusal? { state.withLock { $0.refusal } }

  /// Returns once everything handed over is written.
  func finish() {
    queue.sync {}
  }
}
