package import Telemetry

extension RunHistory {
  /// The checkpoints that the run as it is can go back to, oldest first; none that was removed, in
  /// a stretch given up too.
  package var checkpoints: [RunEvent] {
    var latest: [Int: RunEvent] = [:]
    for event in lineage.events where event.kind == .checkpoint { latest[event.step] = event }
    for step in removedCheckpoints { latest[step] = nil }
    return latest.values.sorted { $0.step < $1.step }
  }

  /// The steps of checkpoints that were removed and not written again.
  private var removedCheckpoints: Set<Int> {
    var removed: Set<Int> = []
    for event in events where event.kind == .checkpoint {
      removed.remove(event.step)
      removed.formUnion(event.removedCheckpoints)
    }
    return removed
  }

  /// The events that led to the run as it is.
  package var lineageEvents: [RunEvent] { lineage.events }

  /// The value that setting `name` had at `step`, from its changes up to there.
  package func setting(_ name: String, at step: Int) -> SettingValue? {
    let events = lineage.events
    func isChange(_ event: RunEvent) -> Bool { event.kind == .set && event.name == name }
    if let last = events.last(where: { isChange($0) && $0.step <= step }) { return last.after }
    if let next = events.first(where: isChange) { return next.before }
    return settings.first { $0.name == name }?.value
  }
}
