package import Formats
package import Telemetry

/// A part of a run that was computed with the same options: a run can be resumed with others.
package struct RunStretch: Sendable, Equatable {
  /// The first step that was computed with them.
  package var start: Int
  package var description: RunDescription

  /// The stretches of the run as it went in the end, the first one first; `earlier` are the
  /// descriptions of the generations before the newest, by number.
  package static func all(
    of run: RecordedRun, earlier: [Int: RunDescription], leavingOut names: Set<String>
  ) -> [RunStretch] {
    func options(_ description: RunDescription) -> [String: String] {
      description.options.filter { !names.contains($0.key) }
    }
    var stretches: [RunStretch] = []
    for (number, generation) in run.generations.enumerated() {
      let isNewest = number + 1 == run.generations.count
      let known = isNewest ? run.description : earlier[number] ?? run.description
      guard let known else { continue }
      let start = number == 0 ? 0 : generation.startingStep
      stretches.removeAll { $0.start >= start && $0.start > 0 || start == 0 }
      if stretches.last.map({ options($0.description) }) != options(known) {
        stretches.append(RunStretch(start: start, description: known))
      }
    }
    return stretches
  }
}
