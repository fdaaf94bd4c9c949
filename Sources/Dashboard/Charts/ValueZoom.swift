import Foundation
import Screen
import Signals

/// Which values the vertical axis of a pane shows.
package enum ValueZoom: Sendable, Hashable {
  /// What the pane takes for right.
  case automatic
  /// All that is there, spikes and the start of a run too.
  case everything
  /// Without the outliers on both sides, as other programs leave them out.
  case robust
  /// These values, whatever the lines do.
  case range(low: Double, high: Double)

  var isChosen: Bool {
    if case .range = self { true } else { self == .robust }
  }

  /// The share of columns that an axis without outliers may leave out at each end.
  private static let outlierShare = 0.05

  /// The range that holds most columns: their lows and highs without a twentieth at each end.
  static func usualRange(lows: [Double], highs: [Double]) -> (Double, Double) {
    guard !lows.isEmpty, !highs.isEmpty else { return (.infinity, -.infinity) }
    let (lows, highs) = (lows.sorted(), highs.sorted())
    let left = Int(Double(lows.count) * outlierShare)
    return (lows[left], highs[highs.count - 1 - left])
  }
}

extension ValueZoom: CustomStringConvertible {
  /// As the pane's frame says it: `0.5–2.5`.
  package var description: String {
    switch self {
    case .automatic: "auto"
    case .everything: "all"
    case .robust: "without outliers"
    case .range(let low, let high): "\(Self.word(low))–\(Self.word(high))"
    }
  }

  private static func word(_ value: Double) -> String {
    value == 0 ? "0" : RoundNumber.rate(value)
  }
}

extension ValueZoom {
  /// Why words name no range. The description is one line.
  enum Flaw: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    case order
    case notPositive
    case noChart(String)

    var description: String {
      switch self {
      case .unknown(let words):
        "'\(words)' is no range: write y LOW HIGH, y auto, y all or y robust"
      case .order: "the lower end comes first: y 0.5 2.5"
      case .notPositive: "a logarithmic axis begins above 0: y switches it to linear"
      case .noChart(let pane): "\(pane) has no vertical axis: focus a chart first"
      }
    }
  }

  /// Reads what stands after `y`: `0.5 2.5`, `auto`, `all`, `robust`.
  init(words: String, isLog: Bool) throws(Flaw) {
    switch words.lowercased() {
    case "auto", "automatic": self = .automatic
    case "all": self = .everything
    case "robust", "outliers off": self = .robust
    default:
      let parts = words.split { " ,…–".contains($0) }.map { Double($0) }
      guard parts.count == 2, let low = parts[0], let high = parts[1], low.isFinite, high.isFinite
      else { throw .unknown(words) }
      guard low < high else { throw .order }
      guard !isLog || low > 0 else { throw .notPositive }
      self = .range(low: low, high: high)
    }
  }
}

extension DashboardState {
  /// The range that words mean for the focused pane.
  func valueZoom(named words: String) throws(ValueZoom.Flaw) -> ValueZoom {
    let focus = arrangement.focus
    guard PaneCatalog.pane(focus)?.chart != nil else { throw .noChart(focus.title) }
    return try ValueZoom(words: words, isLog: viewport.logY.contains(focus))
  }

  mutating func show(values zoom: ValueZoom) {
    let focus = arrangement.focus
    viewport.valueZoom[focus] = zoom == .automatic ? nil : zoom
    say("\(focus.title): vertical axis \(zoom)")
  }

  /// Shows `factor` times as wide a range of values on the focused pane's axis; the line's value at
  /// the cursor, or the last one, stays where it is. What holds all again is automatic.
  mutating func scaleValues(by factor: Double) {
    let focus = arrangement.focus
    guard let chart = PaneCatalog.pane(focus)?.chart, let rect = layout.panes[focus] else {
      return say("\(ValueZoom.Flaw.noChart(focus.title))", .warning)
    }
    var context = context(for: focus)
    let present = chart(context).scale(in: rect, context)
    context.valueZoom = .automatic
    let whole = chart(context).scale(in: rect, context)
    let value = chart(context).lines.last { $0.name != nil }?.value(at: context.readingStep)
    let scaled = present.scaled(by: factor, around: value ?? present.value(atShare: 0.5))
    guard let (low, high) = scaled else { return say("no narrower axis", .faint) }
    let isWhole = factor > 1 && low <= whole.low && high >= whole.high
    let isWider = factor > 1 && high - low >= whole.high - whole.low
    show(values: isWhole || isWider ? .automatic : .range(low: low, high: high))
  }
}

extension LineChart {
  /// The axis that it has in a pane of this size.
  fileprivate func scale(in rect: Rect, _ context: PaneContext) -> ValueScale {
    let time = TimeScale(
      context, steps: steps ?? context.window.steps, columns: max(1, rect.columns - gutter - 4))
    let columns = lines.map { $0.columns(time, playhead: context.playhead) }
    return scale(columns, rows: max(4, rect.rows - 4), context.valueZoom)
  }
}

extension ValueScale {
  fileprivate func value(atShare share: Double) -> Double {
    kind == .linear ? low + share * (high - low) : low * pow(high / low, share)
  }

  /// The ends of an axis `factor` times as long on which `value` stays where it is; nil where labels
  /// could not tell its values apart any more.
  fileprivate func scaled(by factor: Double, around value: Double) -> (Double, Double)? {
    let place = min(max(share(of: value), 0), 1)
    let anchor = self.value(atShare: place)
    guard kind == .linear else {
      let decades = log10(high / low) * factor
      guard decades > 0.1 else { return nil }
      let bottom = anchor / pow(10, decades * place)
      return (bottom, bottom * pow(10, decades))
    }
    let span = (high - low) * factor
    guard span > max(abs(low), abs(high)) / 200 else { return nil }
    return (anchor - place * span, anchor + (1 - place) * span)
  }
}
