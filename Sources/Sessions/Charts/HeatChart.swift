import Foundation
import Signals

/// A chart of many series of a kind: a row each, colour for value.
package struct HeatChart: Sendable {
  struct Row: Sendable {
    let label: String
    /// A value a column; NaN where there is none.
    let values: [Double]
  }

  enum Colours: Sendable, Equatable {
    /// From dark to bright.
    case rising
    /// Grey at the value that is right, blue below, orange above.
    case around(Double)
  }

  static let columns = 192

  var title: String
  var unit = ""
  var meaning = ""
  var steps: ClosedRange<Int>
  var rows: [Row]
  var marks: [PlotMark] = []
  var colours = Colours.rising

  private var rowHeight: Double { min(16, max(4, 240 / Double(max(1, rows.count)))) }
  var height: Double { ChartFrame.top + rowHeight * Double(rows.count) + 34 }

  private static let shades = 20

  func elements() -> String {
    let frame = ChartFrame(steps: steps, bottom: height - 34)
    var parts = [frame.heading(title: title, unit: unit, meaning: meaning, figure: "")]
    parts.append(field(frame))
    parts.append(rowLabels(frame))
    parts.append(frame.stepAxis)
    parts.append(frame.marks(marks, overField: true))
    parts.append(key(frame))
    return parts.joined(separator: "\n")
  }

  var scale: AxisScale {
    let values = rows.flatMap(\.values).filter(\.isFinite)
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    switch colours {
    case .around(let middle): return AxisScale(from: 0, to: middle * 2, kind: .linear)
    case .rising:
      return AxisScale(
        from: low, to: high > low ? high : low + 1, kind: AxisScale.kind(fitting: low, high))
    }
  }

  private func shades(_ values: [Double]) -> [Int?] {
    let scale = scale
    return values.map { value in
      guard value.isFinite else { return nil }
      return Int((scale.share(of: value) * Double(Self.shades - 1)).rounded())
    }
  }

  /// One path a shade; neighbours of one shade are one box.
  private func field(_ frame: ChartFrame) -> String {
    var paths = [String](repeating: "", count: Self.shades)
    for (index, values) in rows.map(\.values).enumerated() {
      let width = (ChartFrame.right - ChartFrame.left) / Double(max(1, values.count))
      let y = ChartFrame.top + Double(index) * rowHeight
      let shades = shades(values)
      var start = 0
      while start < shades.count {
        var end = start + 1
        while end < shades.count, shades[end] == shades[start] { end += 1 }
        if let shade = shades[start] {
          paths[shade] += box(
            x: ChartFrame.left + Double(start) * width, y: y, width: Double(end - start) * width)
        }
        start = end
      }
    }
    return paths.enumerated().filter { !$0.element.isEmpty }.map { shade, path in
      "<path fill=\"\(colour(shade))\" d=\"\(path)\"/>"
    }.joined()
  }

  private func box(x: Double, y: Double, width: Double) -> String {
    let across = Markup.number(width + 0.3)
    return "M\(Markup.number(x)) \(Markup.number(y))h\(across)"
      + "v\(Markup.number(rowHeight - 1))h-\(across)z"
  }

  private func colour(_ shade: Int) -> String {
    let share = Double(shade) / Double(Self.shades - 1)
    return switch colours {
    case .rising: Palette.rising(share)
    case .around: Palette.around(share)
    }
  }

  private func rowLabels(_ frame: ChartFrame) -> String {
    let every = max(1, Int((11 / rowHeight).rounded(.up)))
    return rows.enumerated().filter { $0.offset % every == 0 }.map { index, row in
      let y = ChartFrame.top + (Double(index) + 0.5) * rowHeight + 3
      let label = Markup.fitted(row.label, into: ChartFrame.left - 14, size: 11)
      return "<text class=\"k\" x=\"\(Markup.number(ChartFrame.left - 8))\" "
        + "y=\"\(Markup.number(y))\" text-anchor=\"end\">"
        + "<title>\(Markup.escaped(row.label))</title>\(Markup.escaped(label))</text>"
    }.joined()
  }

  /// What the colours mean, beside the field.
  private func key(_ frame: ChartFrame) -> String {
    let x = ChartFrame.right + 16
    let room = max(44, frame.height)
    let piece = room / Double(Self.shades)
    var text = ""
    for shade in 0..<Self.shades {
      let y = ChartFrame.top + room - Double(shade + 1) * piece
      text +=
        "<path fill=\"\(colour(shade))\" d=\"M\(Markup.number(x)) \(Markup.number(y))"
        + "h10v\(Markup.number(piece + 0.2))h-10z\"/>"
    }
    let scale = scale
    var labels = [(0.0, NumberText.compact(scale.low)), (1.0, NumberText.compact(scale.high))]
    if case .around(let middle) = colours {
      labels = [
        (0, "0"), (0.5, "even \(NumberText.percent(middle))"),
        (1, "≥ \(NumberText.percent(2 * middle))"),
      ]
    }
    for (share, label) in labels {
      let y = ChartFrame.top + room * (1 - share) + (share == 1 ? 8 : share == 0 ? 0 : 4)
      text +=
        "<text class=\"k\" x=\"\(Markup.number(x + 15))\" y=\"\(Markup.number(y))\">"
        + "\(Markup.escaped(label))</text>"
    }
    return text
  }
}
