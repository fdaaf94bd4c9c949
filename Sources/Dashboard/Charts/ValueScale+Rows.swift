import Foundation
import Screen
import Signals

/// An axis whose round values lie in the middle of rows, the same number of rows apart.
extension ValueScale {
  /// Holds all from `low` to `high` in so many rows and wastes as few of them as round values allow.
  /// Where they are too few for that the ends are round.
  init(fitting low: Double, _ high: Double, kind: Kind = .linear, rows: Int) {
    let round = ValueScale(fitting: low, high, kind: kind)
    let isUsable = low.isFinite && high.isFinite && low < high && (kind == .linear || low > 0)
    let ends = isUsable ? (low, high) : (round.low, round.high)
    let amounts = kind == .linear ? ends : (log10(ends.0), log10(ends.1))
    // What is too large, or too small a difference, to be divided by keeps its round ends.
    let bound = kind == .linear ? 1e150 : 150
    guard rows >= 4, abs(amounts.0) < bound, abs(amounts.1) < bound,
      amounts.1 - amounts.0 > max(1e-150, 1e-12 * max(abs(amounts.0), abs(amounts.1))),
      let grid = RowGrid(holding: amounts.0, amounts.1, kind: kind, rows: rows)
    else {
      self = round
      return
    }
    let (bottom, top) = (grid.amount(atDot: Double(rows * 4 - 1)), grid.amount(atDot: 0))
    self.init(
      from: kind == .linear ? bottom : pow(10, bottom), to: kind == .linear ? top : pow(10, top),
      kind: kind, step: grid.step)
  }

  /// The value in the middle of a row of dots.
  func value(atDotRow row: Int, dotRows: Int) -> Double {
    let share = 1 - Double(row) / Double(max(1, dotRows - 1))
    switch kind {
    case .linear: return low + share * (high - low)
    case .logarithmic: return low * pow(high / low, share)
    }
  }

  /// The multiples of `step` on the axis; powers of ten where it is logarithmic.
  func ticks(every step: Double) -> [Double] {
    let ends = kind == .linear ? (low, high) : (log10(low), log10(high))
    let (first, last) = RoundNumber.factors(of: step, from: ends.0, to: ends.1)
    let count = Int(last - first)
    guard count >= 0, count < 1000 else { return [] }
    let amounts = (0...count).map { (first + Double($0)) * step }
    return kind == .linear ? amounts : amounts.map { Self.power($0, step: step) }
  }

  /// Powers of two have no rounding either.
  private static func power(_ exponent: Double, step: Double) -> Double {
    guard step < 1 else { return pow(10, exponent.rounded()) }
    return pow(2, (exponent / log10(2)).rounded())
  }
}

/// Round amounts laid onto rows: `step` apart, every so many rows.
private struct RowGrid {
  let step: Double
  private let rowsPerStep: Int
  /// The round values in sight.
  private let ticks: Int
  /// The amount of a tick and the dot, from the top, that it lies on.
  private let origin: (amount: Double, dot: Double)

  private var density: Double { Double(4 * rowsPerStep) / step }

  func amount(atDot dot: Double) -> Double { origin.amount + (origin.dot - dot) / density }

  /// The one that spreads `low` to `high` over most of the rows, with three ticks where there is
  /// room and they waste little; nil where none has two.
  init?(holding low: Double, _ high: Double, kind: ValueScale.Kind, rows: Int) {
    let grids = Self.steps(for: high - low, kind).compactMap {
      RowGrid($0, spreading: low, high, rows: rows)
    }
    guard let widest = grids.max(by: { $0.density < $1.density }) else { return nil }
    let several = grids.filter { $0.ticks >= 3 }.max { $0.density < $1.density }
    let isWorthIt = rows >= 8 && (several?.density ?? 0) >= 0.7 * widest.density
    let chosen = isWorthIt ? several ?? widest : widest
    // Where values would stand far apart, those in between are worth a little height.
    let finer = grids.filter { $0.rowsPerStep < chosen.rowsPerStep && $0.step < chosen.step }
      .max { $0.density < $1.density }
    let isSparse = chosen.rowsPerStep > Self.mostRowsPerStep
    let isNear = (finer?.density ?? 0) >= 0.7 * chosen.density
    self = isSparse && isNear ? finer ?? chosen : chosen
  }

  private static let mostRowsPerStep = 8

  /// The widest that this step allows.
  private init?(_ step: Double, spreading low: Double, _ high: Double, rows: Int) {
    self.step = step
    let least = max(2, min(4, (rows + 4) / 6))
    let most = min(rows - 1, Int(Double(rows) * step / (high - low)) + 1)
    guard least <= most else { return nil }
    let tick = (low / step + 1e-9).rounded(.down) * step
    for rowsPerStep in (least...most).reversed() {
      let density = Double(4 * rowsPerStep) / step
      // The tick below all lies in the last row, or as few rows as need be below it.
      for shift in 0...rowsPerStep {
        let dot = Double(4 * (rows - 1 + shift)) + Self.middle
        let (bottom, top) = (dot - (low - tick) * density, dot - (high - tick) * density)
        guard bottom <= Double(rows * 4) - 0.51 else { break }
        let ticks = (rows - 1 + shift) / rowsPerStep + (shift == 0 ? 1 : 0)
        guard top >= -0.49, ticks >= 2 else { continue }
        (self.rowsPerStep, self.ticks) = (rowsPerStep, ticks)
        origin = (tick, dot)
        return
      }
    }
    return nil
  }

  /// The middle of a row's four dots.
  private static let middle = 1.5

  private static func steps(for span: Double, _ kind: ValueScale.Kind) -> [Double] {
    switch kind {
    case .linear:
      let power = pow(10, (log10(span)).rounded(.down) - 1)
      return [1, 2, 5, 10, 20, 50].map { $0 * power }
    case .logarithmic where span < 1: return [log10(2), 2 * log10(2), 1]
    case .logarithmic: return [1, 2, 4, 10, 20, 50, 100]
    }
  }
}

extension ValueScale {
  /// Writes round values left of a plot, each beside its row.
  func drawLabels(on grid: inout CellGrid, leftOf plot: Rect, style: Style) {
    let ticks = ticks(atMost: max(2, plot.rows / 3))
    for (tick, label) in zip(ticks, labels(ticks)) {
      let row = dotRow(of: tick, dotRows: plot.rows * 4) / 4
      guard (0..<plot.rows).contains(row) else { continue }
      grid.writeRight(
        label, endColumn: plot.column - 1, row: plot.row + row, style: style, maxColumns: 5)
    }
  }
}
