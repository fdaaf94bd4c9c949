import Dispatch
import Foundation
import Sessions
import Telemetry

/// Writes what a run tells to standard output, on a queue of its own, each line at once.
final class RecordPrinter: Sendable {
  private let queue = DispatchQueue(label: "seismo.printer")
  private let line: @Sendable (RunRecord) -> String?

  init(_ watcher: RunPlan.Watcher, totalSteps: Int) {
    switch watcher {
    case .json: line = { JSONLines.line($0) }
    case .lines, .dashboard:
      let printer = LinePrinter(totalSteps: totalSteps)
      line = { printer.line($0) }
    }
  }

  func print(_ record: RunRecord) {
    queue.async { [line] in
      guard let text = line(record) else { return }
      Self.write(text + "\n")
    }
  }

  /// Returns once everything handed over is written.
  func finish() {
    queue.sync {}
  }

  /// Writes all of `text`; a reader that went away ends the printing, not the run.
  private static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
