import Foundation
import Runs
import Synchronization
import Telemetry

/// The runs of `finetune --compare`, one after the other: a line each as it ends, and the table.
struct MethodTrial {
  private let comparison: MethodComparison
  private let isJSON: Bool
  private let request = EndRequest()

  /// - Throws: what is wrong with any of the runs, before one begins.
  init(_ command: Finetune, methods: [String]) throws {
    var options = command.training.options.given
    options["base"] = command.checkpoint
    isJSON = command.training.json
    comparison = try MethodComparison(
      methods: methods, seeds: command.seeds?.values ?? [0, 1, 2], options: options,
      folder: command.training.session ?? Self.freshFolder())
  }

  private static func freshFolder() -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "MMdd-HHmmss"
    return "sessions/finetune-\(format.string(from: Date()))"
  }

  /// A signal ends the run that goes on, and prints the table of those before it.
  func conduct() throws {
    let stop = Stop(request: request)
    let interrupts = Interrupts([SIGINT, SIGTERM]) { stop.take($0) }
    defer { withExtendedLifetime(interrupts) {} }
    let outcomes = try comparison.run(started: { stop.begin($0) }, tell: report)
    let table = MethodTable(outcomes: outcomes)
    if isJSON {
      try StandardOutput.print(table.json)
    } else {
      try table.lines.forEach(StandardOutput.print)
    }
    try request.leaveIfAsked()
  }

  private func report(_ outcome: MethodComparison.Outcome) throws {
    guard !isJSON else { return }
    try StandardOutput.print(
      "\(outcome.method), seed \(outcome.seed): held-out loss "
        + String(format: "%.4f after %.1f s", outcome.loss, outcome.seconds))
  }

  /// The run that goes on, for whoever ends it.
  private final class Stop: Sendable {
    private let request: EndRequest
    private let run = Mutex<LiveRun?>(nil)

    init(request: EndRequest) { self.request = request }

    func begin(_ run: LiveRun) {
      self.run.withLock { $0 = run }
      if let author = request.author { run.post(.stop, by: author) }
    }

    func take(_ number: Int32) {
      switch request.take(number) {
      case .end: break
      case .same: return
      case .endAtOnce: _exit(128 + number)
      }
      run.withLock { $0 }?.post(.stop, by: request.author ?? "you")
    }
  }
}
