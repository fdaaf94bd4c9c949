import Foundation
import Signals

extension VectorChart {
  /// The elements of the chart, its upper left corner at 0, 0.
  func elements() -> String {
    let frame = ChartFrame(steps: steps, bottom: height - 34)
    let scale = scale
    var parts = [frame.heading(title: title, unit: unit, meaning: meaning, figure: figure)]
    parts.append(valueAxis(frame, scale))
    parts.append(frame.stepAxis)
    parts += levels.filter { $0.value > scale.low && $0.value < scale.high }.map {
      level($0, frame, scale)
    }
    parts += lines.map { body($0, frame, scale) }
    parts += lines.map { line($0, frame, scale) }
    parts += lines.map { nonFinite($0, frame) }
    parts.append(frame.marks(marks))
    parts.append(lineLabels(frame, scale))
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func y(_ value: Double, _ frame: ChartFrame, _ scale: AxisScale) -> Double {
    frame.bottom - scale.share(of: value) * frame.height
  }

  private func valueAxis(_ frame: ChartFrame, _ scale: AxisScale) -> String {
    var text = ""
    for tick in scale.ticks(about: 5) {
      let y = y(tick.value, frame, scale)
      text +=
        "<path class=\"g\" d=\"M\(Markup.number(ChartFrame.left)) \(Markup.number(y))"
        + "H\(Markup.number(ChartFrame.right))\"/>"
      text +=
        "<text class=\"k\" x=\"\(Markup.number(ChartFrame.left - 8))\" "
        + "y=\"\(Markup.number(y + 4))\" text-anchor=\"end\">\(tick.label)</text>"
    }
    return text
  }

  private func level(
    _ level: (value: Double, text: String), _ frame: ChartFrame, _ scale: AxisScale
  ) -> String {
    let y = y(level.value, frame, scale)
    return "<path class=\"h\" d=\"M\(Markup.number(ChartFrame.left)) \(Markup.number(y))"
      + "H\(Markup.number(ChartFrame.right))\"/><text class=\"k\" "
      + "x=\"\(Markup.number(ChartFrame.right - 4))\" y=\"\(Markup.number(y - 4))\" text-anchor=\"end\">"
      + "\(Markup.escaped(level.text))</text>"
  }

  /// What lies behind a line: the envelope of its samples and what was superseded.
  private func body(_ line: PlotLine, _ frame: ChartFrame, _ scale: AxisScale) -> String {
    var text = ""
    for old in line.superseded {
      text += "<path class=\"o c\(line.hue)\" d=\"\(path(old, frame, scale))\"/>"
    }
    guard !line.envelope.isEmpty else { return text }
    let steps = line.envelope
    let upper = steps.map { point($0.step, $0.high, frame, scale, below: -0.4) }
    let lower = steps.reversed().map { point($0.step, $0.low, frame, scale, below: 0.4) }
    let outline = (upper + lower).joined(separator: "L")
    return text + "<path class=\"b c\(line.hue)\" d=\"M\(outline)z\"/>"
  }

  private func line(_ line: PlotLine, _ frame: ChartFrame, _ scale: AxisScale) -> String {
    let weight = line.isStrong ? "n" : "w"
    var text = "<path class=\"\(weight) c\(line.hue)\" d=\"\(path(line.points, frame, scale))\"/>"
    guard line.hasDots else { return text }
    let dots = line.points.map { "M\(point($0.step, $0.value, frame, scale))h0" }.joined()
    text += "<path class=\"d c\(line.hue)\" d=\"\(dots)\"/>"
    return text
  }

  private func path(
    _ points: [PlotLine.Point], _ frame: ChartFrame, _ scale: AxisScale
  ) -> String {
    guard !points.isEmpty else { return "" }
    return "M" + points.map { point($0.step, $0.value, frame, scale) }.joined(separator: "L")
  }

  private func point(
    _ step: Int, _ value: Double, _ frame: ChartFrame, _ scale: AxisScale, below: Double = 0
  ) -> String {
    "\(Markup.number(frame.x(step))) \(Markup.number(y(value, frame, scale) + below))"
  }

  /// A cross at the top of the plot at each step without a number.
  private func nonFinite(_ line: PlotLine, _ frame: ChartFrame) -> String {
    guard let first = line.nonFinite.first else { return "" }
    let crosses = line.nonFinite.map { step in
      "M\(Markup.number(frame.x(step))) \(Markup.number(ChartFrame.top + 8))"
        + "m-3 -3l6 6m0 -6l-6 6"
    }
    let x = frame.x(first)
    let isNearEnd = x > ChartFrame.right - 80
    return "<path class=\"x\" d=\"\(crosses.joined())\"/><text class=\"q\" "
      + "x=\"\(Markup.number(isNearEnd ? x - 7 : x + 7))\" "
      + "y=\"\(Markup.number(ChartFrame.top + 24))\""
      + "\(isNearEnd ? " text-anchor=\"end\"" : "")>not finite at \(NumberText.grouped(first))</text>"
  }

  /// Names at the ends of the lines, pushed apart where they would cover each other.
  private func lineLabels(_ frame: ChartFrame, _ scale: AxisScale) -> String {
    let named = lines.filter { !$0.label.isEmpty && !$0.points.isEmpty }
    guard lines.count > 1 else { return "" }
    let wanted = named.map { y($0.points[$0.points.count - 1].value, frame, scale) }
    let places = LabelColumn.spread(wanted, apart: 13, between: ChartFrame.top, frame.bottom - 4)
    var text = ""
    for (line, (wanted, place)) in zip(named, zip(wanted, places)) {
      let end = line.points.last.map { frame.x($0.step) } ?? ChartFrame.right
      let room = ChartFrame.width - ChartFrame.right - 28
      let label = Markup.fitted(line.label, into: room, size: 11)
      text +=
        "<path class=\"r c\(line.hue)\" d=\"M\(Markup.number(end + 2)) "
        + "\(Markup.number(wanted))L\(Markup.number(ChartFrame.right + 6)) "
        + "\(Markup.number(wanted))L\(Markup.number(ChartFrame.right + 13)) "
        + "\(Markup.number(place))\"/><text class=\"l c\(line.hue)\" "
        + "x=\"\(Markup.number(ChartFrame.right + 16))\" y=\"\(Markup.number(place + 4))\">"
        + "<title>\(Markup.escaped(line.label))</title>\(Markup.escaped(label))</text>"
    }
    return text
  }
}

/// Labels below each other in a column.
enum LabelColumn {
  /// Places as near as they can be to `wanted`, at least `apart` from each other, within the bounds
  /// as far as there is room.
  static func spread(
    _ wanted: [Double], apart: Double, between top: Double, _ bottom: Double
  ) -> [Double] {
    let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
    var places = wanted
    var last = top - apart
    for index in order {
      places[index] = max(wanted[index], last + apart)
      last = places[index]
    }
    var next = bottom + apart
    for index in order.reversed() {
      places[index] = min(places[index], next - apart)
      next = places[index]
    }
    return places
  }
}
