import Foundation
import Screen
import Signals

/// Layers down, experts across: per cent on colour.
struct ExpertTable: Sendable {
  let loads: [LayerLoad]

  private static let nameColumns = 4
  private static let cvColumns = 8
  private static let note = "% of assignments"

  func draw(
    into grid: inout CellGrid, _ rect: Rect, rowsPerLayer: Int, _ context: PaneContext
  ) {
    let experts = loads.map(\.balance.shares.count).max() ?? 0
    guard experts > 0, !rect.isEmpty else { return }
    let hasCV = rect.columns > Self.nameColumns + Self.cvColumns + experts * 3
    // The word for the numbers stands right of the experts' names, under the cv.
    let isWide = rect.columns >= Self.nameColumns + Self.note.count + 2 + experts * 4
    let right = isWide ? Self.note.count + 2 : hasCV ? Self.cvColumns + 1 : 0
    let room = rect.columns - Self.nameColumns - right
    let pitch = min(12, max(1, room / experts))
    let rows = rect.rows - (rect.rows > loads.count ? 1 : 0)
    let shown = loads.prefix(max(1, rows / rowsPerLayer))
    for (index, load) in shown.enumerated() {
      let line = Rect(
        column: rect.column, row: rect.row + index * rowsPerLayer, columns: rect.columns,
        rows: rowsPerLayer
      ).intersection(rect)
      let middle = line.row + (max(1, line.rows) - 1) / 2
      grid.write(
        "L\(load.layer)", at: Point(column: line.column, row: middle), style: context.style(.faint))
      draw(load, pitch: pitch, into: &grid, line.droppingLeft(Self.nameColumns), context)
      guard hasCV else { continue }
      grid.writeRight(
        "cv " + Self.cv(load.balance.cv),
        endColumn: line.column + Self.nameColumns + experts * pitch + Self.cvColumns,
        row: middle, style: context.style(.faint))
    }
    let foot = rect.droppingTop(shown.count * rowsPerLayer).top(1).droppingLeft(Self.nameColumns)
    drawExpertNames(experts, pitch: pitch, into: &grid, foot, context)
  }

  /// With as many decimals in each row.
  private static func cv(_ value: Double) -> String {
    value < 9.995 ? String(format: "%.2f", value) : NumberText.compact(value, digits: 2)
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
      let bare = LayerLoad.percent(share)
      guard cell.columns >= max(2, bare.count) else { continue }
      // Units under units, in every layer.
      let text = String(repeating: " ", count: max(0, 2 - bare.count)) + bare
      let middle = Rect(
        column: cell.column, row: cell.row + (cell.rows - 1) / 2, columns: cell.columns, rows: 1)
      grid.writeCentered(text, in: middle, style: style)
    }
  }

  /// Even shares have the middle colour; a dead expert is trouble, an overloaded one a warning.
  private func style(
    _ share: Double, expert: Int, _ load: LayerLoad, _ context: PaneContext
  ) -> Style {
    let isDead = load.dead.contains(expert)
    let isOverloaded = load.overloaded.contains(expert)
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
    let used = experts * pitch + 1
    guard rect.columns - used >= Self.note.count else { return }
    grid.write(
      Self.note, at: rect.origin.offset(columns: used), style: context.style(.faint))
  }
}
