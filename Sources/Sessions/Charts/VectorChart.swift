import Foundation
import Signals

/// A chart of lines over steps, drawn as SVG.
package struct VectorChart: Sendable {
  package var title: String
  package var unit = ""
  var meaning = ""
  package var steps: ClosedRange<Int>
  package var lines: [PlotLine]
  var marks: [PlotMark] = []
  /// Levels worth a line of their own, with their words.
  var levels: [(value: Double, text: String)] = []
  /// What stands at the right of the title.
  var figure = ""

  var height: Double { 232 }

  var kind = AxisScale.Kind.linear

  package var scale: AxisScale {
    let ranges = lines.compactMap(\.range)
    let low = ranges.map(\.low).min() ?? .nan
    return AxisScale(fitting: low, ranges.map(\.high).max() ?? .nan, kind: kind)
  }
}

/// Where things stand in a chart; charts below each other share their horizontal axis.
struct ChartFrame {
  static let width = 960.0
  static let left = 66.0
  static let right = 836.0
  static let top = 58.0

  let steps: ClosedRange<Int>
  let bottom: Double

  func x(_ step: Int) -> Double {
    let span = Double(max(1, steps.upperBound - steps.lowerBound))
    let share = Double(step - steps.lowerBound) / span
    return Self.left + (Self.right - Self.left) * min(max(share, 0), 1)
  }

  var height: Double { bottom - Self.top }

  /// Title, unit and meaning, and the number that matters.
  func heading(title: String, unit: String, meaning: String, figure: String) -> String {
    let figureWidth = Markup.width(of: figure, size: 13) + 16
    let room = Self.width - 16 - Self.left - figureWidth
    let title = Markup.fitted(title, into: room, size: 15)
    let left = room - Markup.width(of: title, size: 15) - 16
    let words = [unit, meaning].filter { !$0.isEmpty }.joined(separator: " · ")
    let rest = left > 60 ? Markup.fitted(words, into: left, size: 12) : ""
    let x = Markup.number(Self.left)
    var text = "<text x=\"\(x)\" y=\"18\"><tspan class=\"t\">\(Markup.escaped(title))</tspan>"
    if !rest.isEmpty { text += "<tspan class=\"m\" dx=\"10\">\(Markup.escaped(rest))</tspan>" }
    text += "</text>"
    guard !figure.isEmpty else { return text }
    return text + "<text class=\"f\" x=\"\(Markup.number(Self.width - 14))\" y=\"18\" "
      + "text-anchor=\"end\">\(Markup.escaped(figure))</text>"
  }

  /// Steps below the plot.
  var stepAxis: String {
    let axis = AxisScale(
      from: Double(steps.lowerBound), to: Double(max(steps.upperBound, steps.lowerBound + 1)))
    var text = ""
    for tick in axis.ticks(about: 7) where tick.value == tick.value.rounded() {
      let x = Markup.number(x(Int(tick.value)))
      text += "<path class=\"g\" d=\"M\(x) \(Markup.number(Self.top))V\(Markup.number(bottom))\"/>"
      text +=
        "<text class=\"k\" x=\"\(x)\" y=\"\(Markup.number(bottom + 16))\" "
        + "text-anchor=\"middle\">\(tick.label)</text>"
    }
    return text + "<text class=\"k\" x=\"\(Markup.number(Self.right + 16))\" "
      + "y=\"\(Markup.number(bottom + 16))\">step</text>"
  }

  /// Marks: a line down the plot each, words above it where there is room.
  func marks(_ marks: [PlotMark], overField: Bool = false) -> String {
    let placed = PlacedMark.place(marks, between: Self.left, Self.width - 14, x: x)
    let under =
      overField
      ? placed.map {
        "M\(Markup.number($0.x)) \(Markup.number(Self.top))"
          + "V\(Markup.number(bottom))"
      } : []
    let halo = under.isEmpty ? "" : "<path class=\"u\" d=\"\(under.joined())\"/>"
    return halo + placed.map(drawn).joined()
  }

  private func drawn(_ placed: PlacedMark) -> String {
    let kind = placed.mark.kind
    let x = Markup.number(placed.x)
    let row = Double(placed.label?.row ?? 0)
    let top = Self.top - 8 - row * 14
    var text =
      "<g class=\"e\(kind.rawValue)\"><title>step \(placed.mark.step): "
      + Markup.escaped(placed.mark.texts.first ?? "") + "</title>"
    text += "<path class=\"v\" d=\"M\(x) \(Markup.number(top))V\(Markup.number(bottom))\"/>"
    text += "<path class=\"s\" d=\"\(sign(kind, x: placed.x, y: top - 1))\"/>"
    if let label = placed.label {
      text +=
        "<text class=\"l\" x=\"\(Markup.number(label.left))\" "
        + "y=\"\(Markup.number(top + 2.5))\">\(Markup.escaped(label.text))</text>"
    }
    return text + "</g>"
  }

  /// A diamond for what a person did, a triangle for an alarm, a cross for trouble.
  private func sign(_ kind: PlotMark.Kind, x: Double, y: Double) -> String {
    let (x, y) = (Markup.number(x), Markup.number(y))
    return switch kind {
    case .note, .change: "M\(x) \(y)m0 -4l4 4l-4 4l-4 -4z"
    case .alarm: "M\(x) \(y)m0 -4.2l4.2 7.4h-8.4z"
    case .trouble: "M\(x) \(y)m-4 -3l1 -1l3 3l3 -3l1 1l-3 3l3 3l-1 1l-3 -3l-3 3l-1 -1l3 -3z"
    }
  }
}

extension AxisScale {
  /// An axis with these very ends.
  package init(from low: Double, to high: Double) {
    kind = .linear
    self.low = low
    self.high = high
  }
}
