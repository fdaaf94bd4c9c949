import Foundation

extension Symbols {
  /// Text with every sign this set lacks replaced by what it has: write `→ × · ½` in code and let
  /// the set decide. Column for column, but for vulgar fractions, which become `1/2`.
  package func adapt(_ text: String) -> String {
    guard graph != .braille else { return text }
    var result = String.UnicodeScalarView()
    for (scalar, width) in DisplayScalars(text) {
      if let fraction = Symbols.fractions[scalar], adapt(scalar) != scalar {
        result.append(contentsOf: fraction.unicodeScalars)
      } else {
        for _ in 0..<width { result.append(adapt(scalar)) }
      }
    }
    return String(result)
  }

  /// The sign itself if the set has it, else one that reads as near as can be.
  package func adapt(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    if scalar.isASCII || graph == .braille { return scalar }
    if DotGlyph.braille.contains(scalar.value) {
      return DotGlyph.scalar(UInt8(scalar.value - DotGlyph.braille.lowerBound), graph)
    }
    if graph == .block {
      if Symbols.isOnConsole(scalar) { return scalar }
      if let near = Symbols.consoleEquivalents[scalar] { return near }
    }
    return Symbols.asciiEquivalent(of: scalar)
  }

  /// The code page of the Linux console's font: Latin-1 and what the first PCs drew boxes with.
  private static func isOnConsole(_ scalar: Unicode.Scalar) -> Bool {
    (0xA1...0xFF).contains(scalar.value) || consoleSigns.contains(scalar)
  }

  private static let consoleSigns = Set(
    "─│┌┐└┘├┤┬┴┼═║╔╗╚╝█▄▀▌▐░▒▓■←↑→↓▲▼►◄•♦√≈≤≥∞".unicodeScalars)

  private static let consoleEquivalents: [Unicode.Scalar: Unicode.Scalar] = [
    "◆": "♦", "★": "♦", "▾": "▼", "▴": "▲", "◇": "♦", "●": "•", "▶": "►", "◀": "◄", "✓": "√",
    "━": "■", "▪": "■",
    "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "▁": " ", "▂": "▄", "▃": "▄", "▅": "▄",
    "▆": "█", "▇": "█", "▖": "▄", "▗": "▄", "▘": "▀", "▝": "▀", "▙": "█", "▚": "█", "▛": "█",
    "▜": "█", "▞": "█", "▟": "█", "▏": "▌", "▎": "▌", "▍": "▌", "▋": "▌", "▊": "█", "▉": "█",
  ]

  private static let fractions: [Unicode.Scalar: String] = [
    "½": "1/2", "¼": "1/4", "¾": "3/4", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
    "⅓": "1/3", "⅔": "2/3",
  ]

  private static func asciiEquivalent(of scalar: Unicode.Scalar) -> Unicode.Scalar {
    if let near = asciiEquivalents[scalar] { return near }
    if DotGlyph.boxLines.contains(scalar.value) { return "+" }
    // A letter with a mark is its letter.
    let letter = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.first ?? scalar
    return letter.isASCII ? letter : DisplayScalars.lost
  }

  private static let asciiEquivalents: [Unicode.Scalar: Unicode.Scalar] = {
    let groups: [(String, Unicode.Scalar)] = [
      ("─╌┄┈╴╶–—−‐‑", "-"), ("━═╍┅┉╸╺⏸‖≡≈", "="), ("│┃║", "|"), ("╎┆┊╏┇┋", ":"),
      ("→▶►▸›⇥≥»", ">"), ("←◀◄◂‹≤«", "<"), ("↑△⌃▴", "^"), ("↓▼▽▾", "v"), ("▲", "!"),
      ("×✗✕✖╳", "x"), ("✓✔◆♦", "+"), ("●■▪•★", "*"), ("○◇□∘", "o"), ("·…∙▁▂", "."), ("␣▃", "_"),
      ("⏎↵", "/"), ("▄▅▀", "="), ("▆▇█▓▙▚▛▜▞▟", "#"), ("▖▗", "."), ("▘▝", "'"), ("▒", "%"),
      ("░", ":"), ("▏▎▍▌▐", "|"),
      ("▋▊▉", "#"), ("‘’′", "'"), ("“”″", "\""), ("±∼", "~"), ("µμ", "u"), ("σ", "s"), ("∞", "8"),
      ("°", "o"), ("\u{A0}\u{2002}\u{2003}\u{2009}\u{202F}", " "), ("∆Δ", "d"), ("√", "v"),
      ("⁰₀", "0"), ("¹₁", "1"), ("²₂½", "2"), ("³₃⅓", "3"), ("⁴₄¼¾", "4"), ("⁵₅", "5"),
      ("⁶₆", "6"), ("⁷₇", "7"), ("⁸₈⅛⅜⅝⅞", "8"), ("⁹₉", "9"), ("⁺", "+"), ("⁻", "-"),
    ]
    var table: [Unicode.Scalar: Unicode.Scalar] = [:]
    for (signs, near) in groups {
      for sign in signs.unicodeScalars { table[sign] = near }
    }
    return table
  }()
}

extension CellGrid {
  /// Replaces whatever a set of signs lacks, column for column: a screen may be drawn with all of
  /// Unicode and brought down to what the terminal has at the end.
  package mutating func adapt(to symbols: Symbols) {
    guard symbols.graph != .braille else { return }
    mapCells { cell in
      if cell.isContinuation { return cell.scalar = DisplayScalars.lost.value }
      guard cell.scalar > 0x7E, let scalar = Unicode.Scalar(cell.scalar) else { return }
      cell.scalar = symbols.adapt(scalar).value
    }
  }
}
