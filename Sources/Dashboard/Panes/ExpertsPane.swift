import Foundation
import Screen
import Signals
import Telemetry

/// The share of the assignments that each expert gets, now and over time.
enum ExpertsPane {
  static let pane = Pane(
    id: .experts, title: "expert load", minimumRows: 3, weight: 2,
    explanation: """
      The share of each layer's assignments that each expert gets, in per cent over the last 20 \
      steps, and how uneven that is over time (cv: deviation over mean). Healthy is a cv below 0.5 \
      and no red cell. When an expert dies or takes all, raise moe.aux_loss with m.
      """,
    headline: headline, draw: draw)

  private static let stepsAveraged = 20

  private static func headline(_ context: PaneContext) -> [Span] {
    let loads = loads(context)
    guard let worst = loads.max(by: { $0.balance.cv < $1.balance.cv }) else { return [] }
    let cv = "cv \(NumberText.compact(worst.balance.cv, digits: 2))"
    let trouble = trouble(loads)
    guard let text = trouble else { return Span.headline([cv, "balanced"], .experts) }
    return Span.headline([text, cv], .warning)
  }

  private static func trouble(_ loads: [LayerLoad]) -> String? {
    let dead = loads.flatMap { layer in layer.balance.dead.map { (layer, $0) } }
    if dead.count > 1 { return "\(dead.count) experts dead" }
    if let (layer, expert) = dead.first {
      let isGone = layer.balance.shares[expert] * Double(layer.balance.shares.count) < 0.01
      return "L\(layer.layer) E\(expert) \(isGone ? "dead" : "nearly dead")"
    }
    for layer in loads {
      guard let expert = layer.balance.overloaded.first else { continue }
      return "L\(layer.layer) E\(expert) takes \(LayerLoad.percent(layer.balance.shares[expert]))%"
    }
    return nil
  }

  private static func loads(_ context: PaneContext) -> [LayerLoad] {
    let steps = max(0, context.playhead - stepsAveraged + 1)..<context.playhead + 1
    return (0..<(context.description?.model?.layers ?? 128)).compactMap { layer in
      let experts = context.indexed { MetricCatalog.expertLoad(layer: layer, expert: $0) }
      guard !experts.isEmpty else { return nil }
      let means = experts.map { _, name, series in
        let mean = series.summary(of: steps).mean
        return mean.isFinite ? mean : (context.value(name) ?? 0)
      }
      return LayerLoad(layer: layer, balance: ExpertBalance(loads: means))
    }
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let loads = loads(context)
    guard !loads.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "no expert load yet")
    }
    let table = ExpertTable(loads: loads)
    let tall = rect.rows >= loads.count * 2 + 8 ? 2 : 1
    let height = min(rect.rows, loads.count * tall + 1)
    let rest = rect.rows - height
    table.draw(
      into: &grid, rect.top(rest >= 3 ? height : rect.rows), rowsPerLayer: tall, context)
    guard rest >= 3 else { return }
    chart(loads, context).draw(into: &grid, rect.bottom(rest), context)
  }

  /// Each layer's cv, the most uneven one's bright.
  private static func chart(_ loads: [LayerLoad], _ context: PaneContext) -> LineChart {
    var chart = LineChart()
    let worst = loads.max { $0.balance.cv < $1.balance.cv }?.layer
    let layers = context.indexed { MetricCatalog.expertLoadCV(layer: $0) }
    for (layer, _, series) in layers where layer != worst {
      chart.lines.append(ChartLine(series: series, shape: .range, role: .expertsFaint))
    }
    for (layer, _, series) in layers where layer == worst {
      chart.lines.append(
        ChartLine(series: series, shape: .range, role: .experts, name: "cv of L\(layer)"))
    }
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.holds = context.isLogY ? [] : [0]
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    chart.unit = "cv"
    chart.gutter = 8
    chart.marks = context.marks
    return chart
  }
}

/// One layer's shares.
struct LayerLoad: Sendable {
  let layer: Int
  let balance: ExpertBalance

  static func percent(_ share: Double) -> String {
    share.isFinite ? "\(Int((min(max(share, -1e6), 1e6) * 100).rounded()))" : "NaN"
  }
}

/// Layers down, experts across: per cent on colour.
struct ExpertTable: Sendable {
  let loads: [LayerLoad]

  private static let nameColumns = 4
  private static let cvColumns = 8

  func draw(
    into grid: inout CellGrid, _ rect: Rect, rowsPerLayer: Int, _ context: PaneContext
  ) {
    let experts = loads.map(\.balance.shares.count).max() ?? 0
    guard experts > 0, !rect.isEmpty else { return }
    let hasCV = rect.columns >= Self.nameColumns + Self.cvColumns + experts * 3
    let room = rect.columns - Self.nameColumns - (hasCV ? Self.cvColumns + 1 : 0)
    let pitch = min(12, max(1, room / experts))
    let rows = rect.rows - (rect.rows > loads.count ? 1 : 0)
    let shown = loads.prefix(max(1, rows / rowsPerLayer))
    for (index, load) in shown.enumerated() {
      let line = Rect(
        column: rect.column, row: rect.row + index * rowsPerLayer, columns: rect.columns,
        rows: rowsPerLayer
      ).intersection(rect)
      grid.write("L\(load.layer)", at: line.origin, style: context.style(.faint))
      draw(load, pitch: pitch, into: &grid, line.droppingLeft(Self.nameColumns), context)
      guard hasCV else { continue }
      grid.writeRight(
        "cv " + NumberText.compact(load.balance.cv, digits: 2),
        endColumn: line.column + Self.nameColumns + experts * pitch + Self.cvColumns,
        row: line.row, style: context.style(.faint))
    }
    let foot = rect.droppingTop(shown.count * rowsPerLayer).top(1).droppingLeft(Self.nameColumns)
    drawExpertNames(experts, pitch: pitch, into: &grid, foot, context)
  }

  private func draw(
    _ load: LayerLoad, pitch: Int, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    for (expert, share) in load.balance.shares.enumerated() {
      let width = pitch >= 3 ? pitch - 1 : pitch
      let cell = Rect(
        column: rect.column + expert * pitch, row: rect.row, columns: width, rows: rect.rows
      ).intersection(rect)
      guard !cell.isEmpty else { continue }
      let style = style(share, expert: expert, load, context)
      grid.fill(cell, " ", style: style)
      let text = LayerLoad.percent(share)
      guard cell.columns >= max(2, text.count) else { continue }
      let middle = Rect(
        column: cell.column, row: cell.row + (cell.rows - 1) / 2, columns: cell.columns, rows: 1)
      grid.writeCentered(text, in: middle, style: style)
    }
  }

  /// Even shares have the middle colour; a dead expert is trouble, an overloaded one a warning.
  private func style(
    _ share: Double, expert: Int, _ load: LayerLoad, _ context: PaneContext
  ) -> Style {
    let isDead = load.balance.dead.contains(expert)
    let isOverloaded = load.balance.overloaded.contains(expert)
    let role: Role = isDead ? .trouble : (isOverloaded ? .warning : .heat)
    guard context.theme.hasGradients else {
      let plain: Role = role == .heat ? .experts : role
      return context.style(plain, role == .heat ? [] : .reverse)
    }
    let even = share * Double(load.balance.shares.count)
    var style = context.style(role)
    let field =
      role == .heat ? context.theme.expertsGradient.color(at: even / 2) : style.foreground
    style.background = field
    style.foreground =
      (field.luminance ?? 0) > 0.18 ? .rgb(0x0B, 0x10, 0x0D) : .rgb(0xF0, 0xF6, 0xFC)
    return style
  }

  private func drawExpertNames(
    _ experts: Int, pitch: Int, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    guard !rect.isEmpty else { return }
    let stride = pitch >= 3 ? 1 : (pitch == 2 ? 4 : 8)
    for expert in Swift.stride(from: 0, to: experts, by: stride) {
      let place = Rect(
        column: rect.column + expert * pitch, row: rect.row,
        columns: stride == 1 ? pitch - 1 : stride * pitch - 1, rows: 1)
      guard place.endColumn <= rect.endColumn else { break }
      let name = "E\(expert)"
      if stride == 1, name.count <= place.columns {
        grid.writeCentered(name, in: place, style: context.style(.faint))
      } else if stride > 1 {
        grid.write(name, at: place.origin, style: context.style(.faint))
      }
    }
    let note = "% of assignments"
    let used = experts * pitch + 1
    guard rect.columns - used >= note.count else { return }
    grid.write(
      note, at: rect.origin.offset(columns: used), style: context.style(.faint))
  }
}
