package import Formats
import Telemetry

/// A part of a run that was computed with the same options: a run can be resumed with others.
package struct RunStretch: Sendable, Equatable {
  /// The first step that was computed with them.
  package let start: Int
  package let options: [String: String]

  /// Options that no number depends on: how a run is conducted.
  package static let conduct: Set<String> = [
    "checkpoint-every", "keep", "keep-best", "patience", "monitor", "workers",
  ]

  /// The stretches of the run as it went in the end, the first one first; none where nothing says
  /// what it was.
  package static func all(of run: RecordedRun) -> [RunStretch] {
    guard let description = run.description else { return [] }
    var stretches: [RunStretch] = []
    var start = 0
    for event in run.lineage.events where event.step > start {
      guard let earlier = event.earlierOptions else { continue }
      stretches.append(RunStretch(start: start, options: earlier))
      start = event.step
    }
    return stretches + [RunStretch(start: start, options: description.options)]
  }
}
