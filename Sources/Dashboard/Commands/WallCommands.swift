import Screen

/// What can be done on the wall of charts, and with lists that are longer than a screen.
enum WallCommands {
  static let table: [DashboardCommand] = [
    command(
      "order", [.character("S")], bar: .init("order", rank: 13),
      "Order the wall's charts by group, by name, by movement or the worst first.",
      refusal: refusalOffWall
    ) { state in
      let all = WallOrder.allCases
      let index = all.firstIndex(of: state.wall.order) ?? 0
      state.wall.order = all[(index + 1) % all.count]
      state.wall.selected = nil
      state.say("the wall's charts \(state.wall.order.words)")
    },
    command(
      "head", [.character("*")],
      "Put the chosen chart at the head of the wall, or take it from there.",
      refusal: refusalOffWall
    ) { $0.toggleHead() },
    command("page down", [.pageDown], "Go to the wall's next page, or down a list by a screen.") {
      $0.page(by: 1)
    },
    command("page up", [.pageUp], "Go to the wall's page before, or up a list by a screen.") {
      $0.page(by: -1)
    },
  ]

  private static let refusalOffWall: @Sendable (DashboardState) -> String? = { state in
    state.isOnWall ? nil : "focus the wall first: p goes to the layout that has it"
  }

  private static func command(
    _ name: String, _ keys: [Key], bar: DashboardCommand.BarItem? = nil, _ sentence: String,
    refusal: @escaping @Sendable (DashboardState) -> String? = { _ in nil },
    _ change: @escaping @Sendable (inout DashboardState) -> Void
  ) -> DashboardCommand {
    DashboardCommand(
      name, keys: keys, group: .panes, bar: bar, sentence, refusal: refusal
    ) { state in
      change(&state)
      return []
    }
  }
}

extension DashboardState {
  /// A page of the wall, or of the list that is focused.
  fileprivate mutating func page(by direction: Int) {
    if isOnWall { return turnPage(by: direction) }
    let focus = arrangement.focus
    guard focus.isScrollable, focus != .wall else {
      return say("there are pages on the wall and in lists", .faint)
    }
    for _ in 0..<max(1, inside(focus).rows - 1) { scroll(focus, by: direction) }
  }
}
