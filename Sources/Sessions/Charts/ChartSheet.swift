/// Charts below each other as one drawing.
package struct ChartSheet: Sendable {
  package enum Chart: Sendable {
    case lines(VectorChart)
    case heat(HeatChart)

    var height: Double {
      switch self {
      case .lines(let chart): chart.height
      case .heat(let chart): chart.height
      }
    }

    var elements: String {
      switch self {
      case .lines(let chart): chart.elements()
      case .heat(let chart): chart.elements()
      }
    }

    package var title: String {
      switch self {
      case .lines(let chart): chart.title
      case .heat(let chart): chart.title
      }
    }
  }

  /// What stands above the charts; empty for none.
  var title: String
  var subtitle = ""
  package var charts: [Chart]

  private static let gap = 14.0

  /// The whole drawing as an SVG file, without a background of its own.
  package var svg: String {
    var y = title.isEmpty ? 8.0 : 62.0
    var body: [String] = []
    for chart in charts {
      body.append("<g transform=\"translate(0 \(Markup.number(y)))\">\n\(chart.elements)\n</g>")
      y += chart.height + Self.gap
    }
    let size = "width=\"\(Int(ChartFrame.width))\" height=\"\(Int(y))\""
    let box = "viewBox=\"0 0 \(Int(ChartFrame.width)) \(Int(y))\""
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="seismo" \(size) \(box) color="#777">
      <title>\(Markup.escaped(title))</title>
      <style>
      \(Palette.styles)
      </style>
      \(heading)\(body.joined(separator: "\n"))
      </svg>

      """
  }

  private var heading: String {
    guard !title.isEmpty else { return "" }
    let x = Markup.number(ChartFrame.left)
    let room = ChartFrame.width - ChartFrame.left - 14
    let title = Markup.fitted(title, into: room, size: 20)
    let subtitle = Markup.fitted(subtitle, into: room, size: 12)
    return """
      <text x="\(x)" y="26" style="font-size:20px;font-weight:600">\(Markup.escaped(title))</text>
      <text x="\(x)" y="44">\(Markup.escaped(subtitle))</text>

      """
  }
}
