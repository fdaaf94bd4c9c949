package import Screen

/// The themes there are; the screen behind shows the chosen one.
package struct ThemePicker: Layer {
  private(set) var list = ListCursor()
  private let original: Theme

  package init(_ state: DashboardState) {
    original = state.appearance.theme
    list.index = state.appearance.themes.firstIndex { $0.name == original.name } ?? 0
  }

  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let themes = state.appearance.themes
    let moved: Key? =
      switch key {
      case .character("j"), .character("t"): .down
      case .character("k"): .up
      default: nil
      }
    if list.handle(moved ?? key, count: themes.count) {
      return look(at: list.index, in: state)
    }
    switch key {
    case .escape, .character("q"):
      return .closed(.look(at: original))
    case .enter:
      return .closed(.keepTheme)
    case .control:
      return .ignored
    default:
      return .consumed
    }
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return look(at: index, in: state)
  }

  private func look(at index: Int, in state: DashboardState) -> LayerAnswer {
    let themes = state.appearance.themes
    guard themes.indices.contains(index) else { return .consumed }
    return .stays(.look(at: themes[index].adapted(to: state.appearance.depth)))
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let themes = state.appearance.themes
    let theme = state.appearance.theme
    var box = Box(
      on: &grid, state, columns: 34, rows: min(themes.count, 12), title: "theme",
      keys: [
        .init("⏎", "keep", .enter), .init("↑↓", "look", .up, .down),
        .init("esc", "as before", .escape),
      ])
    box.drawList(list, of: themes.count, on: &grid, in: box.inside, theme: theme) {
      grid, index, line, surface in
      grid.write(
        themes[index].name, at: line.origin.offset(columns: 1),
        style: theme.style(.text, on: surface))
      drawSwatches(of: themes[index].adapted(to: state.appearance.depth), on: &grid, in: line)
    }
    return box
  }

  private func drawSwatches(of theme: Theme, on grid: inout CellGrid, in line: Rect) {
    let roles: [Role] = [
      .loss, .logits, .learningRate, .experts, .throughput, .person, .warning, .trouble,
    ]
    var place = line.right(roles.count * 2).origin
    for role in roles where line.columns >= 30 {
      place.column += grid.write("■ ", at: place, style: theme.style(role, on: .background))
    }
  }
}
