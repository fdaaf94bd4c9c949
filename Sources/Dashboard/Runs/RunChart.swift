import Screen
import Signals
import Telemetry

/// The losses of a few runs over the same steps: the first bright, the others in the colours of
/// runs that lie over charts.
struct RunChart {
  let runs: [ListedRun]

  func draw(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    let theme = state.appearance.theme
    guard rect.rows >= 5, rect.columns >= 20, let first = runs.first else { return }
    grid.drawBox(rect, symbols: state.appearance.symbols, style: theme.style(.border))
    let numbers = Line(numbers)
    let titles = Line(titles).fitted(to: rect.columns - 4 - numbers.columns - 3)
    titles.draw(on: &grid, at: rect.origin.offset(columns: 2), theme: theme)
    if titles.columns + numbers.columns + 7 <= rect.columns {
      numbers.draw(
        on: &grid, at: Point(column: rect.endColumn - 2 - numbers.columns, row: rect.row),
        theme: theme)
    }
    let inside = rect.inset(columns: 2, rows: 1)
    let last = runs.map { max($0.steps, $0.details.loss.steps.last ?? 0) }.max() ?? 0
    guard runs.contains(where: { !$0.details.loss.isEmpty }) else {
      grid.writeCentered("no loss is recorded", in: inside.top(1), style: theme.style(.faint))
      return
    }
    var chart = LineChart()
    chart.lines = lines
    chart.clipsOutliers = true
    chart.role = .loss
    let isForeign = runs.contains { $0.traits.environment[.source] != nil }
    chart.unit = isForeign ? "" : "nats"
    chart.marks = first.details.events.compactMap { EventMark($0) }
    var context = PaneContext(
      history: RunHistory(), playhead: last,
      window: TimeWindow(steps: 0..<last + 1, isAll: true), theme: theme,
      symbols: state.appearance.symbols)
    context.secondsFromGMT = state.secondsFromGMT
    chart.draw(into: &grid, inside, context)
  }

  private func role(of index: Int) -> Role {
    index == 0 ? .loss : Overlay.roles[(index - 1) % Overlay.roles.count]
  }

  /// The chosen run last, so that it lies over the others.
  private var lines: [ChartLine] {
    runs.indices.reversed().flatMap { index in
      let details = runs[index].details
      let loss = ChartLine(
        series: details.loss.series, shape: .average, role: role(of: index), name: runs[index].name,
        isInFront: index == 0)
      guard index == 0, !details.heldOutCurve.isEmpty else { return [loss] }
      return [
        loss, ChartLine(series: details.heldOutCurve.series, shape: .points, role: .title),
      ]
    }
  }

  private var titles: [Span] {
    runs.enumerated().flatMap { index, run in
      [
        Span(index == 0 ? " ━ " : "  ━ ", role(of: index)),
        Span(
          TextWidth.truncated(run.name, to: 24) + (index == runs.count - 1 ? " " : ""),
          index == 0 ? .title : role(of: index)),
      ]
    }
  }

  private var numbers: [Span] {
    let held = runs.prefix(2).enumerated().compactMap { index, run in
      run.details.heldOut.map {
        Span(NumberText.compact($0.value, digits: 4), role(of: index))
      }
    }
    guard let first = held.first else { return [] }
    return [Span(" held-out ", .faint), first]
      + (held.count > 1 ? [Span(" against ", .faint), held[1]] : []) + [Span(" ", .faint)]
  }
}
