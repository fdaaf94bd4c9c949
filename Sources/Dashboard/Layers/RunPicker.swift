package import Screen
import Signals
import Telemetry

/// The recorded runs, to lay some of them over the charts; typing searches names and settings.
package struct RunPicker: Layer {
  private var search = TextField()
  private(set) var list = ListCursor()

  package init() {}

  private static let example = "words, or cfg.lr>=1e-2 -has:alarms | note:cured"

  private func found(in state: DashboardState) -> [ListedRun] {
    guard let listed = state.listedRuns else { return [] }
    let runs = listed.filter { !$0.details.isPresent && $0.details.flaw == nil }
    let drawn = Set(state.overlays.map(\.path))
    let ordered = runs.filter { drawn.contains($0.path) } + runs.filter { !drawn.contains($0.path) }
    guard !search.isEmpty else { return ordered }
    let pattern = TextPattern(search.text)
    let filter = try? RunFilter(search.text)
    return ordered.filter { pattern.matches($0.words) || filter?.matches($0.traits) == true }
  }

  /// Why what is typed compares nothing; nil where it does, or is words.
  private var flaw: String? {
    do throws(RunFilter.Flaw) {
      _ = try RunFilter(search.text)
      return nil
    } catch {
      return error.description
    }
  }

  package var takesText: Bool { true }
  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let runs = found(in: state)
    if list.handle(key, count: runs.count, hasText: true) { return .consumed }
    switch key {
    case .escape:
      return .closed
    case .enter, .tab:
      guard runs.indices.contains(list.index) else { return .consumed }
      let toggle = Deed.toggleOverlay(runs[list.index])
      return key == .enter ? .closed(toggle) : .stays(toggle)
    default:
      guard search.handle(key) else { return .ignored }
      list.index = 0
      return .consumed
    }
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let runs = found(in: state)
    let theme = state.appearance.theme
    let isRoomy = grid.size.rows >= 20
    let rows = max(4, min((state.listedRuns?.count ?? 1) + (isRoomy ? 5 : 2), grid.size.rows - 4))
    var box = Box(
      on: &grid, state, columns: 92, rows: rows, title: "overlay a run",
      keys: [
        .init("⏎", "draw or take away", .enter), .init("⇥", "and another", .tab),
        .init("esc", "close", .escape),
      ])
    drawSearch(on: &grid, in: box.inside.top(1), theme: theme)
    let details = box.inside.bottom(isRoomy ? 3 : 1)
    let body = box.inside.droppingTop(1).droppingBottom(details.rows)
    guard !runs.isEmpty else {
      grid.write(
        emptiness(state), at: body.origin, style: theme.style(.faint), maxColumns: body.columns)
      return box
    }
    box.drawList(list, of: runs.count, on: &grid, in: body, theme: theme) {
      grid, index, line, surface in
      draw(runs[index], on: &grid, in: line, surface, state)
    }
    guard runs.indices.contains(list.index) else { return box }
    drawDetails(of: runs[list.index], on: &grid, in: details, state)
    return box
  }

  private func drawSearch(on grid: inout CellGrid, in field: Rect, theme: Theme) {
    let used = grid.write("search ", at: field.origin, style: theme.style(.faint))
    search.draw(on: &grid, in: field.droppingLeft(used), theme: theme)
    guard search.isEmpty else { return }
    grid.write(
      Self.example.cutBetweenWords(to: field.columns - used - 2),
      at: field.origin.offset(columns: used + 2), style: theme.style(.faint))
  }

  /// Why the list is empty.
  private func emptiness(_ state: DashboardState) -> String {
    if state.listedRuns == nil { return "looking for sessions" }
    return search.isEmpty ? "no other session lies beside this one" : flaw ?? "nothing found"
  }

  private func draw(
    _ run: ListedRun, on grid: inout CellGrid, in line: Rect, _ surface: Role,
    _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    let overlay = state.overlays.first { $0.path == run.path }
    if let overlay {
      grid.write("━", at: line.origin, style: theme.style(overlay.role, on: surface))
    }
    let name = TextWidth.padded(
      TextWidth.truncated(run.name, to: 22), to: line.columns < 60 ? 16 : 23)
    let loss = run.finalLoss.map { "loss \(NumberText.compact($0, digits: 4))" } ?? "no loss"
    let alarms =
      run.traits.alarms == 0
      ? "" : "\(run.traits.alarms) alarm\(run.traits.alarms == 1 ? "" : "s")"
    Line([
      Span(name, overlay?.role ?? .text),
      Span(TextWidth.padded(loss, to: 13), .text),
      Span(TextWidth.padded("\(NumberText.grouped(run.steps)) steps", to: 14), .faint),
      Span(TextWidth.padded(run.traits.state, to: 10), .faint), Span(alarms, .warning),
    ]).fitted(to: line.columns - 2)
      .draw(on: &grid, at: line.origin.offset(columns: 2), theme: theme, surface: surface)
  }

  /// The options in which the run differs from the one on screen.
  private func drawDetails(
    of run: ListedRun, on grid: inout CellGrid, in rect: Rect, _ state: DashboardState
  ) {
    let own = state.history.description?.options ?? [:]
    let names = Set(own.keys).union(run.options.keys).sorted()
    let differing = names.filter { own[$0] != run.options[$0] }
    let words = differing.map { name in
      "\(name) \(run.options[name] ?? "–")"
        + (own[name].map { " (here \($0))" } ?? "")
    }
    let text =
      run.options.isEmpty
      ? "its options are not known"
      : words.isEmpty ? "the same options as this run" : words.joined(separator: " · ")
    let lines = TextWidth.wrapped(text, to: rect.columns)
    let area = rect.bottom(min(rect.rows, max(1, rect.rows - 1)))
    for (row, line) in zip(area.row..<area.endRow, lines) {
      grid.write(
        line, at: Point(column: area.column, row: row),
        style: state.appearance.theme.style(.faint), maxColumns: area.columns)
    }
  }
}
