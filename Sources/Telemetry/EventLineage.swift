/// The events that led to a run as it is now: without those of stretches that were gone back over.
package struct EventLineage: Sendable {
  package private(set) var events: [RunEvent] = []

  package init() {}

  package mutating func append(_ event: RunEvent) {
    events.append(event)
  }

  /// The run starts again at `step`: from the checkpoint written there, with all that was done
  /// before it, where one is known of.
  package mutating func beginGeneration(at step: Int) {
    if let place = events.lastIndex(where: { $0.kind == .checkpoint && $0.step == step }) {
      events.removeSubrange((place + 1)...)
    } else {
      events.removeAll { $0.step >= step }
    }
  }
}
