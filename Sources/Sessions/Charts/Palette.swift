import Foundation

/// Colours that are read on white and on black: every one stands at least 3 to 1 against both.
enum Palette {
  /// Told apart also by the colour-blind; lines of a chart take them in turn.
  static let lines = [
    "#2f7fe0", "#d9730d", "#1f9d6b", "#b65fd6", "#c28a00", "#0f97a8", "#e0559a", "#7a7f2a",
  ]

  /// By the rank of a mark: note, alarm, change, trouble.
  static let marks = ["#8a6fd1", "#c77700", "#d6408b", "#dc3a34"]

  /// Dark blue over green to yellow, even to the eye.
  static func rising(_ share: Double) -> String {
    mixed(
      [
        (59, 50, 120), (57, 86, 140), (43, 117, 142), (31, 150, 139), (53, 183, 121),
        (122, 209, 81), (221, 223, 60),
      ], share)
  }

  /// Blue over grey to orange.
  static func around(_ share: Double) -> String {
    mixed(
      [(24, 78, 150), (74, 132, 196), (150, 156, 163), (220, 142, 62), (196, 84, 16)], share)
  }

  private static func mixed(_ stops: [(Double, Double, Double)], _ share: Double) -> String {
    let place = min(max(share, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let rest = place - Double(index)
    let (from, to) = (stops[index], stops[index + 1])
    let parts = [(from.0, to.0), (from.1, to.1), (from.2, to.2)].map { one, other in
      String(format: "%02x", Int((one + (other - one) * rest).rounded()))
    }
    return "#" + parts.joined()
  }

  /// The style sheet of a chart. Text takes the colour of what it stands in: a grey that is read on
  /// white and on black where nothing else is said.
  static let styles: String = {
    var rules = [
      ".seismo text{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif;"
        + "fill:currentColor}",
      ".seismo .t{font-weight:600;font-size:15px}",
      ".seismo .m{font-size:12px}",
      ".seismo .f{font-size:13px;font-weight:600}",
      ".seismo .k{font-size:11px}",
      ".seismo .l{font-size:\(PlacedMark.size)px}",
      ".seismo .q{font-size:11px;fill:\(marks[3])}",
      ".seismo path[class]{fill:none}",
      ".seismo .g{stroke:currentColor;stroke-opacity:.18;stroke-width:1}",
      ".seismo .h{stroke:\(marks[3]);stroke-opacity:.7;stroke-width:1;stroke-dasharray:6 4}",
      ".seismo .b{fill-opacity:.24;stroke:none}",
      ".seismo .n{stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}",
      ".seismo .w{stroke-width:1.2;stroke-opacity:.75;stroke-linejoin:round}",
      ".seismo .o{stroke-width:1;stroke-opacity:.45;stroke-dasharray:3 3}",
      ".seismo .d{stroke-width:4.5;stroke-linecap:round}",
      ".seismo .r{stroke-width:1;stroke-opacity:.7;stroke-dasharray:1 4}",
      ".seismo .x{stroke:\(marks[3]);stroke-width:1.4}",
      ".seismo .u{stroke:#fff;stroke-opacity:.6;stroke-width:2.2}",
      ".seismo .v{stroke-width:1;stroke-dasharray:2 3;stroke-opacity:.9}",
    ]
    for (index, colour) in lines.enumerated() {
      rules.append(".seismo .c\(index){stroke:\(colour)}")
      rules.append(".seismo .b.c\(index){fill:\(colour);stroke:none}")
      rules.append(".seismo text.c\(index){fill:\(colour);stroke:none}")
    }
    for (index, colour) in marks.enumerated() {
      rules.append(".seismo .e\(index) .v{stroke:\(colour)}")
      rules.append(".seismo .e\(index) .s,.seismo .e\(index) text{fill:\(colour);stroke:none}")
    }
    return rules.joined(separator: "\n")
  }()
}
