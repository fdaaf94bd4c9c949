/// The panes there are.
package enum PaneCatalog {
  package static let panes: [Pane] = [
    LossPane.pane, AttentionLogitsPane.pane, LearningRatePane.pane, ExpertsPane.pane,
    GradientsPane.pane, EventsPane.pane, ThroughputPane.pane, ActivationsPane.pane,
    OutputsPane.pane, RunPane.pane, ConsolePane.pane, SamplesPane.pane,
    InspectionPane.pane, StateSpacesPane.pane, RewardPane.pane, WallPane.pane,
  ]

  static let ids = panes.map(\.id)

  package static func pane(_ id: PaneID) -> Pane? {
    panes.first { $0.id == id } ?? id.globs.map { PinnedPane.pane(id, globs: $0) }
  }
}
