package import Screen
import Signals

/// The whole screen of a sweep, from its state alone.
package func view(_ state: SweepState) -> CellGrid {
  let theme = state.appearance.theme
  var grid = CellGrid(size: state.size, style: theme.style(.background))
  let layout = SweepLayout(state)
  SweepHeader(state).draw(on: &grid, in: layout.header)
  let panels = SweepPanel.all(state)
  let focused = panels.firstIndex { panel in
    panel.curves.contains { $0.group == state.chosenCell?.group }
  }
  let first = max(
    0, min((focused ?? 0) - layout.charts.count / 2, panels.count - layout.charts.count))
  for (index, rect) in layout.charts.enumerated() where panels.indices.contains(first + index) {
    SweepChart(panels[first + index], state).draw(
      on: &grid, in: rect, isFocused: first + index == focused)
  }
  SensitivityPlot(state).draw(on: &grid, in: layout.sensitivity)
  BestTable(state).draw(on: &grid, in: layout.best)
  SweepField(state, in: layout.cells).draw(on: &grid)
  drawStatus(on: &grid, in: layout.status, state)
  drawKeys(on: &grid, in: layout.bottom, state)
  state.question?.draw(on: &grid, state)
  grid.adapt(to: state.appearance.symbols)
  return grid
}

/// The screen in a picture: with all colours, though the terminal has fewer.
package func picture(_ state: SweepState, size: Size? = nil) -> CellGrid {
  var state = state
  state.toast = nil
  state.question = nil
  state.appearance.theme = state.appearance.theme.withAllColors
  if let size { state.size = size }
  return view(state)
}

/// The chosen cell in words, or a passing word.
private func drawStatus(on grid: inout CellGrid, in rect: Rect, _ state: SweepState) {
  guard !rect.isEmpty else { return }
  let theme = state.appearance.theme
  let start = rect.origin.offset(columns: 1)
  if let toast = state.toast {
    grid.write(
      toast.text.cutBetweenWords(to: rect.columns - 2), at: start,
      style: theme.style(toast.role, .bold))
    return
  }
  guard let cell = state.chosenCell else { return }
  Line(cell.status).fitted(to: rect.columns - 2).draw(on: &grid, at: start, theme: theme)
}

extension ShownCell {
  private var stateWords: (sign: String, word: String, role: Role) {
    switch state {
    case .waiting: ("○", "waiting", .faint)
    case .running: ("▸", "running", .good)
    case .finished: ("✓", "finished", .good)
    case .diverged: ("▲", "diverged", .trouble)
    case .failed: ("✗", "failed", .trouble)
    case .stopped: ("■", "ended", .warning)
    }
  }

  fileprivate var status: [Span] {
    let (sign, word, role) = stateWords
    var spans = [
      Span("\(sign) cell \(number)", role), Span(words.isEmpty ? "" : "  \(words)", .text),
      Span("   \(word)", role),
    ]
    if state != .waiting {
      spans.append(
        Span("  step \(NumberText.grouped(steps))/\(NumberText.grouped(totalSteps))", .faint))
    }
    if let loss {
      let name = state.isOver ? "held-out" : "loss"
      spans += [Span("  \(name) ", .faint), Span(NumberText.compact(loss, digits: 4), .loss)]
    }
    if let logits {
      spans += [Span("  logits ", .faint), Span(NumberText.compact(logits), .logits)]
    }
    if let reason { spans.append(Span("  \(reason)", .warning)) }
    return spans
  }
}

private let keys: [(key: String, label: String)] = [
  ("⏎", "open cell"), ("←→↑↓", "cell"), ("K", "end cell"), ("A", "add a rate"), ("v", "group"),
  ("F", "forecast"),
  ("w", "write"), ("?", "help"), ("q", "leave"),
]

private func drawKeys(on grid: inout CellGrid, in rect: Rect, _ state: SweepState) {
  let theme = state.appearance.theme
  let signs = ["⏎": state.appearance.symbols.enterKey]
  var column = rect.column + 1
  for item in keys {
    let key = signs[item.key] ?? item.key
    let width = TextWidth.columns(of: key) + 1 + TextWidth.columns(of: item.label)
    guard column + width < rect.endColumn else { break }
    let used = grid.write(
      key, at: Point(column: column, row: rect.row), style: theme.style(.key))
    grid.write(
      item.label, at: Point(column: column + used + 1, row: rect.row), style: theme.style(.faint))
    column += width + 3
  }
}

/// The line on top: which sweep, how far it is, how long it will take.
private struct SweepHeader {
  let state: SweepState

  init(_ state: SweepState) {
    self.state = state
  }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    guard !rect.isEmpty else { return }
    let theme = state.appearance.theme
    grid.fill(rect, style: theme.style(.header))
    let done = state.cells.count { $0.state.isOver }
    let share = state.cells.isEmpty ? 0 : Double(done) / Double(state.cells.count)
    let counts = Line([
      Span("\(done)", .text), Span("/\(state.cells.count) cells  ", .faint),
      Span("\(Int(share * 100))%", .text),
    ])
    let right = Line([Span(time, .faint), Span(cores, .faint)])
    let inside = rect.inset(columns: 1)
    var left = [Span("SEISMO", .key), Span("  sweep ", .faint), Span(state.name, .title)]
    left.append(Span(axes, .faint))
    let room = inside.columns - counts.columns - 3
    let title = Line(left).fitted(to: max(0, room))
    var column = title.draw(on: &grid, at: inside.origin, theme: theme, surface: .header)
    column = counts.draw(
      on: &grid, at: Point(column: column + 3, row: rect.row), theme: theme, surface: .header)
    guard column + right.columns + 2 <= inside.endColumn else { return }
    right.draw(
      on: &grid, at: Point(column: inside.endColumn - right.columns, row: rect.row),
      theme: theme, surface: .header)
  }

  private var axes: String {
    let sizes = Set(state.groups.map { SweepPanel.sizeName($0, in: state) }).count
    let mitigations = Set(state.groups.map(\.mitigation)).count
    let counts = [
      (state.rates.count, "rate"), (sizes, "size"), (mitigations, "mitigation"),
      (state.seeds.count, "seed"),
    ]
    let words = counts.filter { $0.0 > 1 }.map { "\($0.0) \($0.1)s" }
    return words.isEmpty ? "" : "  " + words.joined(separator: " × ")
  }

  private var time: String {
    guard let seconds = state.remainingSeconds, state.isRunning else { return "" }
    return "eta \(NumberText.duration(seconds: seconds))   "
  }

  private var cores: String {
    let running = state.count(.running)
    return state.jobs > 0 && state.isRunning ? "\(running) of \(state.jobs) cores" : ""
  }
}

extension SweepQuestion {
  fileprivate var title: String {
    switch self {
    case .endCell(let number): "end cell \(number)?"
    case .quit: "cells are running"
    case .help: "keys"
    case .forecast: "forecast"
    }
  }

  fileprivate var lines: [(key: String, text: String)] {
    switch self {
    case .endCell:
      [("⏎", "end it: it is stopped and says nothing of the rate"), ("esc", "let it run")]
    case .forecast: []
    case .quit:
      [
        ("⏎", "stop them with checkpoints: 'seismo sweep' on the folder goes on"),
        ("d", "let them go on without a screen"), ("esc", "stay"),
      ]
    case .help:
      [
        ("⏎", "open the chosen cell's run, esc comes back"), ("←→↑↓", "choose a cell, also hjkl"),
        ("g G", "first and last cell"), ("K", "end a cell that runs"),
        ("A", "add a rate between the chosen cell's and the next"),
        ("v", "charts by mitigation or by size"), ("F", "at which size the rates break"),
        ("w", "write the screen as SVG"),
        ("q", "leave"), ("▲", "diverged: counts as the loss at the start"),
        ("◆", "the best rate of a curve"),
      ]
    }
  }

  fileprivate func draw(on grid: inout CellGrid, _ state: SweepState) {
    if case .forecast = self { return drawForecast(on: &grid, state) }
    let theme = state.appearance.theme
    let lines = lines
    let widest = lines.map { TextWidth.columns(of: $0.text) }.max() ?? 0
    let rect = grid.bounds.centered(Size(columns: widest + 14, rows: lines.count + 4))
    grid.fill(rect, style: theme.style(.text))
    SweepFrame(title: title, isFocused: true).draw(on: &grid, in: rect, state)
    let inside = rect.inset(columns: 2, rows: 2)
    for (index, line) in lines.enumerated() where index < inside.rows {
      let key = line.key == "⏎" ? state.appearance.symbols.enterKey : line.key
      grid.write(
        key, at: inside.origin.offset(rows: index), style: theme.style(.key))
      grid.write(
        line.text, at: inside.origin.offset(columns: 8, rows: index), style: theme.style(.text),
        maxColumns: max(0, inside.columns - 8))
    }
  }

  /// Over all but the lines at the edges.
  private func drawForecast(on grid: inout CellGrid, _ state: SweepState) {
    let rect = grid.bounds.droppingTop(1).droppingBottom(2)
    grid.fill(rect, style: state.appearance.theme.style(.text))
    state.forecast?.draw(on: &grid, in: rect, state)
  }
}
