import Screen
import Signals
import Telemetry

/// The probe's multipliers as rungs over time: the best one green, the cliff and what lies beyond it
/// red. The axis is exact: a rung is a multiplier that was tried.
struct ProbeLadder: Sendable {
  /// The probes of one column: the latest best, the nearest cliff.
  struct Column: Sendable, Equatable {
    var best: Double?
    var cliff: Double?
  }

  private static let multipliers = Array(MetricCatalog.probeMultipliers.reversed())
  /// More probes than these in one column are not all looked at.
  private static let mostInColumn = 4

  private let series: [Series]
  private let initialLoss: Double
  private let context: PaneContext

  /// Nil where fewer than two probes were recorded: one is what the bars show.
  init?(_ context: PaneContext) {
    let series = MetricCatalog.probeMultipliers.compactMap {
      context.history[MetricCatalog.probeLoss(multiplier: $0)]
    }
    guard series.count == MetricCatalog.probeMultipliers.count, let first = series.first,
      first.index(atOrAfter: context.playhead + 1) >= 2
    else { return nil }
    self.series = series
    self.context = context
    initialLoss = context.description?.initialLoss ?? .infinity
  }

  /// A title, the rungs, the axis.
  static func height(rowsPerRung: Int) -> Int { multipliers.count * rowsPerRung + 2 }

  func draw(
    into grid: inout CellGrid, _ rect: Rect, gutter: Int, steps: Range<Int>, rowsPerRung: Int
  ) {
    let field = rect.droppingLeft(gutter)
    guard field.columns > 0, rect.rows >= Self.height(rowsPerRung: rowsPerRung) else { return }
    drawTitle(into: &grid, field.top(1))
    let time = TimeScale(context, steps: steps, columns: field.columns)
    let columns = columns(time, count: field.columns)
    for (index, multiplier) in Self.multipliers.enumerated() {
      let rung = Rect(
        column: field.column, row: field.row + 1 + index * rowsPerRung, columns: field.columns,
        rows: rowsPerRung)
      grid.writeRight(
        label(multiplier), endColumn: rung.column - 1, row: rung.row + (rowsPerRung - 1) / 2,
        style: context.style(.faint), maxColumns: gutter - 1)
      draw(multiplier, columns, into: &grid, rung)
    }
    drawCursor(time, into: &grid, field.droppingTop(1).droppingBottom(1))
    let axis = field.row + 1 + Self.multipliers.count * rowsPerRung
    for label in time.labels(columns: field.columns) {
      grid.write(
        label.text, at: Point(column: field.column + label.column, row: axis),
        style: context.style(.faint))
    }
  }

  private func draw(
    _ multiplier: Double, _ columns: [Column?], into grid: inout CellGrid, _ rung: Rect
  ) {
    for (offset, column) in columns.enumerated() {
      guard let column else { continue }
      let cell: (scalar: Unicode.Scalar, style: Style)
      if multiplier == column.best {
        cell = (context.symbols.isASCII ? "o" : "█", plain(.good))
      } else if let cliff = column.cliff, multiplier >= cliff {
        cell = (context.symbols.isASCII ? "#" : "█", beyond(isEdge: multiplier == cliff))
      } else {
        guard multiplier == 1 else { continue }
        cell = (context.symbols.horizontalDashed, context.style(.track))
      }
      let isGuide = cell.scalar == context.symbols.horizontalDashed
      for row in rung.row..<rung.endRow {
        // A guide is one line, a rung is as high as its rows.
        if isGuide, row > rung.row { continue }
        grid[rung.column + offset, row] = Cell(cell.scalar, style: cell.style)
      }
      if multiplier == 1, !isGuide, multiplier != column.best {
        drawGuide(over: cell.style, at: Point(column: rung.column + offset, row: rung.row), &grid)
      }
    }
  }

  /// The present rate's guide goes on through the red. Without colours nothing lies behind a sign:
  /// there the two take turns.
  private func drawGuide(over red: Style, at point: Point, _ grid: inout CellGrid) {
    guard context.theme.depth != .none || point.column.isMultiple(of: 2) else { return }
    grid[point.column, point.row] = Cell(
      context.symbols.horizontalDashed, style: context.guideStyle(on: red))
  }

  private func plain(_ role: Role) -> Style {
    var style = context.style(role)
    style.attributes.remove(.bold)
    return style
  }

  /// The cliff itself is bright, what lies beyond it dim.
  private func beyond(isEdge: Bool) -> Style {
    var style = plain(.trouble)
    guard context.theme.hasGradients else { return style }
    style.foreground = style.foreground.blended(
      with: context.theme.paper, amount: isEdge ? 0.2 : 0.75)
    return style
  }

  private func drawCursor(_ time: TimeScale, into grid: inout CellGrid, _ rect: Rect) {
    guard let step = context.cursorStep, let column = time.column(of: step) else { return }
    for row in rect.row..<rect.endRow {
      grid[rect.column + column, row] = Cell(
        context.symbols.vertical, style: context.style(.cursor))
    }
  }

  private func drawTitle(into grid: inout CellGrid, _ rect: Rect) {
    guard let first = series.first, let index = first.index(atOrBefore: context.readingStep)
    else { return }
    let probe = probe(at: index)
    let best = probe?.best.map { label($0) } ?? "none"
    let cliff = probe?.cliff.map { label($0) } ?? "none"
    let step = "  at step \(NumberText.grouped(first.step(atIndex: index)))"
    Line([
      Span("best \(best)", .good), Span(" · ", .faint), Span("cliff \(cliff)", .trouble),
      Span(step, .faint),
    ]).fitted(to: rect.columns).draw(on: &grid, at: rect.origin, theme: context.theme)
  }

  private func label(_ multiplier: Double) -> String {
    let fractions: [Double: String] = [0.125: "⅛", 0.25: "¼", 0.5: "½"]
    guard let fraction = fractions[multiplier] else { return "×\(RoundNumber.plain(multiplier))" }
    return context.symbols.isASCII ? "×1/\(Int(1 / multiplier))" : "×\(fraction)"
  }
}

extension ProbeLadder {
  /// What each cell shows; nil before the first probe and after the playhead.
  func columns(_ time: TimeScale, count: Int) -> [Column?] {
    guard let first = series.first else { return [] }
    var last: Column?
    return (0..<count).map { cell in
      let start = time.edges[cell * 2]
      let end = min(time.edges[min(cell * 2 + 2, time.edges.count - 1)], context.playhead + 1)
      guard start <= context.playhead else { return nil }
      let indices =
        first.index(
          atOrAfter: start)..<max(
          first.index(atOrAfter: start), first.index(atOrAfter: end))
      let probes = indices.suffix(Self.mostInColumn).compactMap(probe)
      guard let latest = probes.last else {
        last = last ?? first.index(atOrBefore: start).flatMap(probe)
        return last
      }
      last = latest
      return Column(best: latest.best, cliff: probes.compactMap(\.cliff).min())
    }
  }

  private func probe(at index: Int) -> Column? {
    guard let step = series.first?.step(atIndex: index) else { return nil }
    let losses = series.compactMap { $0.value(at: step) }
    guard losses.count == series.count else { return nil }
    let probe = LearningRateSensitivity(
      multipliers: MetricCatalog.probeMultipliers, losses: losses, initialLoss: initialLoss)
    return Column(best: probe.bestMultiplier, cliff: probe.steepCliff)
  }
}
