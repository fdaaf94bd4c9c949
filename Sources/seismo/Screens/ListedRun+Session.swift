import Dashboard
import Foundation
import Runs
import Sessions
import Signals
import Telemetry

extension RunLibrary.Listing {
  /// What the list of runs is told: all that was found, the run of session `present` marked.
  func action(beside present: String?) -> Action {
    let present = present.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    let runs = sessions.flatMap { found in
      ListedRun.all(of: found).map { run in
        var run = run
        run.details.isPresent = run.path == present
        run.details.folder = found.folder
        run.details.checkpoints = found.checkpoints
        return run
      }
    }
    return .runsListed(runs, in: places)
  }
}

extension ListedRun {
  /// A session of which nothing is known but that it is there.
  fileprivate init(unread path: String, _ stamp: SessionFiles.Stamp) {
    var traits = RunTraits()
    traits.name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    self.init(path: path, steps: 0, finalLoss: nil, traits: traits)
    details.bytes = stamp.bytes
    details.lastWritten = stamp.lastWritten
  }

  init(sessionAt path: String) {
    let (summary, outline) = SessionSummary.outlined(path: path)
    self.init(summary, outline)
  }

  private init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init(
      path: URL(fileURLWithPath: summary.path).standardizedFileURL.path, steps: summary.steps,
      finalLoss: summary.judgedLoss, traits: RunTraits(summary, outline))
    details = RunDetails(summary, outline)
  }

  /// A session's run, then the lines that it went back from, to be looked at like other runs.
  fileprivate static func all(of found: FoundSession) -> [ListedRun] {
    switch found.content {
    case .unread(let stamp): [ListedRun(unread: found.path, stamp)]
    case .read(let summary, let outline): all(summary, outline)
    }
  }

  private static func all(
    _ summary: SessionSummary, _ outline: SessionOutline?
  ) -> [ListedRun] {
    let run = ListedRun(summary, outline)
    let lines = zip(summary.abandoned, outline?.abandoned ?? []).map { line, loss in
      let reference = SessionReference(path: run.path, line: line.number)
      var traits = RunTraits()
      (traits.name, traits.state) = (reference.name, "abandoned")
      (traits.options, traits.environment) = (line.options ?? summary.options, summary.environment)
      var other = ListedRun(
        path: reference.path + reference.suffix, steps: line.steps, finalLoss: line.judgedLoss,
        traits: traits)
      other.details.standing = .stopped
      other.details.line = RunDetails.Origin(of: run.path, leftAt: line.leftAt ?? 0)
      (other.details.heldOut, other.details.best) = (line.heldOut, line.best)
      (other.details.loss, other.details.rate) = (loss, RunDetails.rate(in: traits.options))
      return other
    }
    return [run] + lines
  }
}

extension RunDetails {
  init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init()
    standing = Self.standing(of: summary)
    flaw = summary.flaw
    totalSteps = summary.totalSteps
    rate = Self.rate(in: summary.options)
    lastWritten = summary.lastWritten
    bytes = summary.bytes
    (heldOut, best) = (summary.heldOut, summary.best)
    guard let outline else { return }
    (loss, heldOutCurve, events) = (outline.loss, outline.heldOut, outline.events)
  }

  static func rate(in options: [String: String]) -> Double? {
    options["lr"].flatMap { SettingValue(words: $0)?.number }
  }

  private static func standing(of summary: SessionSummary) -> Standing {
    if summary.flaw != nil { return .unreadable }
    if summary.isKilled { return .killed }
    if summary.isLive { return summary.state == .paused ? .paused : .live }
    switch summary.state {
    case .finished: return .finished
    case .stopped: return .stopped
    case .diverged: return .diverged
    case .failed: return .failed
    case .starting, .running, .paused: return .killed
    }
  }
}
