/// The panes in the order of their digits.
package enum PaneCatalog {
  package static let panes: [Pane] = [
    LossPane.pane, AttentionLogitsPane.pane, LearningRatePane.pane, ExpertsPane.pane,
  ]

  package static func pane(_ id: PaneID) -> Pane? {
    panes.first { $0.id == id }
  }
}
