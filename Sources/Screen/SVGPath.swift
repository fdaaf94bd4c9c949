/// Path data and text as SVG writes them.
enum SVGPath {
  /// At most two decimals, none where there are none.
  static func number(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let sign = hundredths < 0 ? "-" : ""
    let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    if rest == 0 { return "\(sign)\(whole)" }
    return rest % 10 == 0
      ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  static func box(_ box: SVGRaster.Box) -> String {
    let width = number(box.width)
    return "M\(number(box.x)) \(number(box.y))h\(width)v\(number(box.height))h-\(width)z"
  }

  static func segment(_ segment: SVGRaster.Segment) -> String {
    let start = "M\(number(segment.x1)) \(number(segment.y1))"
    return segment.y1 == segment.y2
      ? start + "H\(number(segment.x2))" : start + "V\(number(segment.y2))"
  }

  static func bend(
    from start: (x: Double, y: Double), over middle: (x: Double, y: Double),
    to end: (x: Double, y: Double)
  ) -> String {
    "M\(number(start.x)) \(number(start.y))Q\(number(middle.x)) \(number(middle.y)) "
      + "\(number(end.x)) \(number(end.y))"
  }

  static func lineWidth(_ weight: BoxLines.Weight) -> Double { weight == .light ? 1 : 2 }

  /// Lines almost without length: round ends make dots of them.
  static func dots(_ pattern: UInt8, x: Double, y: Double) -> String {
    var path = ""
    var last: (x: Int, y: Int)?
    for (row, bits) in DotGlyph.bits.enumerated() {
      for (column, bit) in bits.enumerated() where pattern & bit != 0 {
        let dot = (x: 2 + 4 * column, y: 2 + 4 * row)
        if let last {
          path += "m\(dot.x - last.x) \(dot.y - last.y)h0"
        } else {
          path += "M\(number(x + Double(dot.x))) \(number(y + Double(dot.y)))h0"
        }
        last = dot
      }
    }
    return path
  }

  /// Signs that fonts draw in sizes of their own, as filled shapes.
  static func sign(_ scalar: UInt32, x: Double, y: Double) -> String? {
    let left = number(x + 0.8)
    let right = number(x + 7.2)
    let middle = number(x + 4)
    switch Unicode.Scalar(scalar) {
    case "●"?: return "M\(left) \(number(y + 8))a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z"
    case "•"?: return "M\(number(x + 2)) \(number(y + 8))a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z"
    case "·"?: return "M\(number(x + 3)) \(number(y + 8))a1 1 0 1 0 2 0a1 1 0 1 0 -2 0z"
    case "◆"?: return "M\(middle) \(number(y + 4))l3.4 4l-3.4 4l-3.4 -4z"
    case "▲"?: return "M\(middle) \(number(y + 4.4))L\(right) \(number(y + 11.6))H\(left)z"
    case "▼"?: return "M\(middle) \(number(y + 11.6))L\(right) \(number(y + 4.4))H\(left)z"
    case "▶"?, "►"?: return "M\(right) \(number(y + 8))L\(left) \(number(y + 4))v8z"
    case "◀"?, "◄"?: return "M\(left) \(number(y + 8))L\(right) \(number(y + 4))v8z"
    case "■"?: return "M\(left) \(number(y + 4.8))h6.4v6.4h-6.4z"
    default: return nil
    }
  }

  /// Signs that many fonts lack, as strokes.
  static func strokedSign(_ scalar: UInt32, x: Double, y: Double) -> String? {
    switch Unicode.Scalar(scalar) {
    case "✓"?: "M\(number(x + 1)) \(number(y + 8.5))l2.2 2.8l3.8 -6.2"
    case "✗"?: "M\(number(x + 1.4)) \(number(y + 5.4))l5.2 5.2m0 -5.2l-5.2 5.2"
    case "→"?: "M\(number(x + 0.8)) \(number(y + 8))h6.2m-2.4 -2.4l2.4 2.4l-2.4 2.4"
    case "←"?: "M\(number(x + 7.2)) \(number(y + 8))h-6.2m2.4 -2.4l-2.4 2.4l2.4 2.4"
    case "↑"?: "M\(number(x + 4)) \(number(y + 12))v-7.6m-2.4 2.4l2.4 -2.4l2.4 2.4"
    case "↓"?: "M\(number(x + 4)) \(number(y + 4))v7.6m-2.4 -2.4l2.4 2.4l2.4 -2.4"
    case "␣"?: "M\(number(x + 1)) \(number(y + 10))v2.4h6v-2.4"
    case "⇥"?: "M\(number(x + 0.6)) \(number(y + 8))h5.2m-2.2 -2.2l2.2 2.2l-2.2 2.2m3.4 -4.6v4.8"
    case "⏎"?, "↵"?:
      "M\(number(x + 7)) \(number(y + 4.6))v4h-6m2.2 -2.2l-2.2 2.2l2.2 2.2"
    default: nil
    }
  }

  /// Text as XML holds it; what XML can't hold shows as a replacement.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result.append(DisplayScalars.replacement)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
