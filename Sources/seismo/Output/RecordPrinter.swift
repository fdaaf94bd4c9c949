import Dispatch
import Formats
import Sessions
import Synchronization
import Telemetry

/// Writes what a run tells to standard output, on a queue of its own, each line at once.
final class RecordPrinter: Sendable {
  private let queue = DispatchQueue(label: "seismo.printer")
  private let line: @Sendable (RunRecord) -> String?
  private let refused = Mutex<StandardStream.Refusal?>(nil)

  init(_ watcher: RunPlan.Watcher, totalSteps: Int) {
    switch watcher {
    case .json: line = { Self.isOfAStep($0) ? JSONLines.line($0) : nil }
    case .lines, .dashboard:
      let printer = LinePrinter(totalSteps: totalSteps)
      line = { printer.line($0) }
    }
  }

  /// One object a step: what is measured of the last weights is in the event that ends the run.
  private static func isOfAStep(_ record: RunRecord) -> Bool {
    guard case .samples(let samples) = record else { return true }
    return samples[MetricCatalog.loss] != nil
  }

  func print(_ record: RunRecord) {
    queue.async { [self] in
      guard refusal == nil, let text = line(record) else { return }
      do throws(StandardStream.Refusal) {
        try StandardStream.output.write(text + "\n")
      } catch {
        refused.withLock { $0 = error }
      }
    }
  }

  /// What ended the printing; the run goes on without it.
  var refusal: StandardStream.Refusal? { refused.withLock { $0 } }

  /// Returns once everything handed over is written.
  func finish() {
    queue.sync {}
  }
}
