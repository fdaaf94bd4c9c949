package import Telemetry

extension RunEvent {
  /// Whether every word of the filter is somewhere in what the event says, whatever its case.
  package func matches(_ filter: String) -> Bool {
    let haystack = [kind.rawValue, by, name ?? "", text, hint ?? ""].joined(separator: " ")
      .lowercased()
    return filter.lowercased().split(separator: " ").allSatisfy { haystack.contains($0) }
  }
}
