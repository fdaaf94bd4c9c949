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
  /// Whether what the event says holds the pattern.
  package func matches(_ pattern: TextPattern) -> Bool {
    pattern.matches([kind.rawValue, by, name ?? "", text, hint ?? ""].joined(separator: " "))
  }
}
