import Screen
import Signals
import Telemetry

/// The keys at the bottom: as many as fit, the most useful ones.
struct BottomBar {
  struct Item {
    let command: DashboardCommand
    let key: String
    let label: String
    let isAllowed: Bool
    /// The action of the second of two keys.
    var second: String?
    var column = 0

    var columns: Int { TextWidth.columns(of: key) + 1 + TextWidth.columns(of: label) }
  }

  private(set) var items: [Item] = []

  init(_ state: DashboardState) {
    let known = CommandTable.applicable(to: state).compactMap { command in
      command.bar.map { (bar: $0, item: Self.item(command, $0, state)) }
    }.filter { entry in
      // Scrubbing is for replays; what can never be done here would only take room.
      let isNever = !entry.item.isAllowed && (state.commandRefusal != nil || state.isForeign)
      switch entry.item.command.name {
      case "left": return state.isReplay && !isNever
      // What else there is to do of a run that goes on is more.
      case "order": return state.isOnWall
      case "rewind": return state.canGoBack
      case "mitigations": return state.isReplay || state.history.state != .diverged
      default: return !isNever
      }
    }
    let room = state.size.columns
    let gap = state.size.columns >= 110 ? 3 : 2
    var chosen: Set<String> = []
    var used = 1
    for entry in known.sorted(by: { $0.bar.rank < $1.bar.rank }) {
      let columns = entry.item.columns + (chosen.isEmpty ? 0 : gap)
      guard used + columns + 1 <= room else { continue }
      used += columns
      chosen.insert(entry.item.command.name)
    }
    var column = 1
    for entry in known where chosen.contains(entry.item.command.name) {
      var item = entry.item
      item.column = column
      column += item.columns + gap
      items.append(item)
    }
  }

  private static func item(
    _ command: DashboardCommand, _ bar: DashboardCommand.BarItem, _ state: DashboardState
  ) -> Item {
    let symbols = state.appearance.symbols
    return Item(
      command: command,
      key: bar.keys ?? command.keys.first?.glyph(symbols) ?? "", label: label(command, bar, state),
      isAllowed: command.refusal(state) == nil, second: bar.second)
  }

  private static func label(
    _ command: DashboardCommand, _ bar: DashboardCommand.BarItem, _ state: DashboardState
  ) -> String {
    switch command.name {
    case "pause" where state.isPaused: "resume"
    case "play" where state.playback?.isPlaying == true: "pause"
    default: bar.label
    }
  }

  /// The name of the action that a click there is for. Of two keys each is its own half, and the
  /// word beside them is neither.
  func action(at column: Int) -> String? {
    let item = items.first { column >= $0.column && column < $0.column + $0.columns }
    guard let item, let second = item.second else { return item?.command.name }
    let place = column - item.column
    let width = TextWidth.columns(of: item.key)
    guard place < width else { return nil }
    return place <= width / 2 - 1 ? item.command.name : second
  }

  func draw(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    let theme = state.appearance.theme
    for item in items {
      let point = Point(column: rect.column + item.column, row: rect.row)
      let used = grid.write(
        item.key, at: point, style: theme.style(item.isAllowed ? .key : .faint))
      grid.write(
        item.label, at: point.offset(columns: used + 1),
        style: theme.style(.faint, item.isAllowed ? [] : .dim))
    }
  }
}
