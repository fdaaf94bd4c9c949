import Signals
package import Telemetry

extension RunHistory {
  /// The events that a viewer at `step` knows, oldest first. At the last measured step they are all
  /// known: the checkpoint at a run's end carries the step after it.
  func events(upTo step: Int) -> [RunEvent] {
    guard step < lastStep ?? 0 else { return events }
    return events.filter { $0.step <= step }
  }
}

extension RunEvent {
  /// Whether every word of the filter is somewhere in what the event says, whatever its case.
  package func matches(_ filter: String) -> Bool {
    let haystack = [kind.rawValue, by, name ?? "", text, hint ?? ""].joined(separator: " ")
      .lowercased()
    return filter.lowercased().split(separator: " ").allSatisfy { haystack.contains($0) }
  }
}
