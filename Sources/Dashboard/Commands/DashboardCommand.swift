package import Screen

/// One line of the table that feeds the keys, the bottom bar, `?`, `:` and the README.
package struct DashboardCommand: Sendable {
  package enum Group: String, Sendable, CaseIterable {
    case run, replay, time, charts, panes, program

    package var title: String {
      switch self {
      case .run: "the run"
      case .replay: "a replay"
      case .time: "moving in time"
      case .charts: "charts"
      case .panes: "panes"
      case .program: "Seismo"
      }
    }
  }

  /// What the bottom bar says of it.
  package struct BarItem: Sendable, Hashable {
    /// The keys as shown, where they are not the first key alone.
    var keys: String?
    var label: String
    /// Those with a low rank stay longest where there is little room.
    var rank: Int
    /// The action of the second key, where two are shown.
    var second: String?
  }

  /// The word of the palette.
  package let name: String
  package let keys: [Key]
  package let group: Group
  package let sentence: String
  package let bar: BarItem?
  /// Whether there is such a thing here at all: nothing to play in a live run.
  let applies: @Sendable (DashboardState) -> Bool
  /// Why it can't be done now; nil where it can.
  let refusal: @Sendable (DashboardState) -> String?
  let perform: @Sendable (inout DashboardState) -> [Effect]

  init(
    _ name: String, keys: [Key], group: Group, bar: BarItem? = nil, _ sentence: String,
    applies: @escaping @Sendable (DashboardState) -> Bool = { _ in true },
    refusal: @escaping @Sendable (DashboardState) -> String? = { _ in nil },
    perform: @escaping @Sendable (inout DashboardState) -> [Effect]
  ) {
    self.name = name
    self.keys = keys
    self.group = group
    self.sentence = sentence
    self.bar = bar
    self.applies = applies
    self.refusal = refusal
    self.perform = perform
  }
}

extension DashboardCommand.BarItem {
  init(_ label: String, rank: Int, keys: String? = nil, second: String? = nil) {
    self.init(keys: keys, label: label, rank: rank, second: second)
  }
}
