import Foundation
import Screen
import Signals

/// How a cell of a sweep is drawn in its place: by its state, its loss and the course of the loss.
struct CellSpots {
  private let state: SweepState
  private let scale: (low: Double, high: Double)

  private var theme: Theme { state.appearance.theme }
  /// Whether losses have a colour each.
  var isColoured: Bool { theme.hasGradients && !state.appearance.symbols.isASCII }

  init(_ state: SweepState) {
    self.state = state
    let losses = state.cells.filter { $0.state == .finished }.compactMap(\.loss).filter(\.isFinite)
    let low = losses.min() ?? 0
    let sorted = losses.sorted()
    let high = sorted.isEmpty ? 1 : sorted[(sorted.count - 1) * 9 / 10]
    scale = (low, max(high, low + 1e-9))
  }

  /// Green for the lowest loss, red for the highest.
  private var gradient: Gradient {
    var gradient = Gradient(
      low: theme.style(.good).foreground, middle: theme.style(.warning).foreground,
      high: theme.style(.trouble).foreground)
    if theme.depth == .indexed256 { gradient.useRamp(isDark: theme.isDark) }
    return gradient
  }

  func draw(_ cell: ShownCell, isChosen: Bool, on grid: inout CellGrid, in spot: Rect) {
    switch cell.state {
    case .waiting: grid.fill(spot, "·", style: theme.style(.track))
    case .running: drawCourse(of: cell, on: &grid, in: spot)
    case .finished, .stopped: drawLoss(of: cell, on: &grid, in: spot)
    case .diverged: drawSign("▲", on: &grid, in: spot)
    case .failed: drawSign("✗", on: &grid, in: spot)
    }
    guard isChosen else { return }
    grid.restyle(spot) { style in
      style.attributes.formUnion([.reverse, .bold])
      style.role = Role.selection.rawValue
    }
  }

  private func drawSign(_ sign: String, on grid: inout CellGrid, in spot: Rect) {
    grid.write(
      sign.padded(to: spot.columns), at: spot.origin, style: theme.style(.trouble),
      maxColumns: spot.columns)
  }

  private func drawCourse(of cell: ShownCell, on grid: inout CellGrid, in spot: Rect) {
    guard spot.columns >= 2, !cell.curve.isEmpty else {
      grid.write("▸", at: spot.origin, style: theme.style(.good))
      return
    }
    grid.write("▸", at: spot.origin, style: theme.style(.good))
    Sparkline(curve: cell.curve, steps: cell.totalSteps).draw(
      on: &grid, in: spot.droppingLeft(1), style: theme.style(.good),
      trouble: theme.style(.trouble), symbols: state.appearance.symbols)
  }

  private func drawLoss(of cell: ShownCell, on grid: inout CellGrid, in spot: Rect) {
    guard let loss = cell.loss, loss.isFinite else {
      grid.write("—", at: spot.origin, style: theme.style(.faint), maxColumns: spot.columns)
      return
    }
    let share = (loss - scale.low) / (scale.high - scale.low)
    // Where there is no room for a number, a digit: 0 for the lowest, 9 for the highest.
    let text =
      spot.columns >= 4
      ? String(NumberText.compact(loss).prefix(4)) : "\(Int(min(max(share, 0), 0.99) * 10))"
    var style = theme.style(share < 0.34 ? .good : share < 0.67 ? .warning : .trouble)
    guard isColoured else {
      grid.write(text, at: spot.origin, style: style)
      return
    }
    style = Style(
      foreground: theme.paper, background: gradient.color(at: share), role: Role.heat.rawValue)
    grid.fill(spot, style: style)
    grid.write(text, at: spot.origin, style: style, maxColumns: spot.columns)
  }
}

extension String {
  fileprivate func padded(to columns: Int) -> String {
    self + String(repeating: " ", count: max(0, columns - count))
  }
}
