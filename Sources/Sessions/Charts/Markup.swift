/// Text and numbers as SVG and HTML hold them.
enum Markup {
  /// `text` with nothing in it that a reader of markup would take for markup.
  ///
  /// What XML cannot hold, and what turns the direction of the text that follows, shows as a
  /// replacement.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "\t", "\n", "\r": result.append(" ")
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}",
        "\u{2066}"..."\u{2069}", "\u{FFFE}", "\u{FFFF}":
        result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// At most one decimal, none that says nothing.
  static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest)"
  }

  /// A text inside a script element: nothing in it ends the element.
  static func scriptText(_ json: String) -> String {
    var result = ""
    for scalar in json.unicodeScalars {
      switch scalar {
      case "<", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// About how wide a text is in a sans-serif font, rather too much than too little.
  static func width(of text: String, size: Double) -> Double {
    let ems = text.unicodeScalars.reduce(0.0) { total, scalar in
      switch scalar.value {
      case 0x300...0x36f, 0x200b...0x200f: total
      case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
        0xff00...0xff60, 0x1f000...0x1faff:
        total + 1.05
      case UInt32(UInt8(ascii: "A"))...UInt32(UInt8(ascii: "Z")): total + 0.7
      case 0x20, 0x27, 0x2c, 0x2e, 0x2f, 0x3a, 0x69, 0x6a, 0x6c, 0x74, 0x72, 0x66: total + 0.36
      case 0x6d, 0x77, 0x40, 0x25: total + 0.9
      default: total + 0.58
      }
    }
    return ems * size
  }

  /// `text`, or as much of its beginning as fits into `room`, with an ellipsis.
  static func fitted(_ text: String, into room: Double, size: Double) -> String {
    guard width(of: text, size: size) > room else { return text }
    var kept = text
    while !kept.isEmpty, width(of: kept + "…", size: size) > room { kept.removeLast() }
    return kept.isEmpty ? "" : kept + "…"
  }
}
