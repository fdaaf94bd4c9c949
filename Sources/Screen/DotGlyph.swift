/// The signs that stand for the two by four dots of a cell, given as a braille pattern's bits.
enum DotGlyph {
  static let braille: ClosedRange<UInt32> = 0x2800...0x28FF
  static let boxLines: ClosedRange<UInt32> = 0x2500...0x257F

  /// Bits of the braille patterns, by row and column: the fourth row came later to the code.
  static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  static func scalar(_ dots: UInt8, _ graph: Symbols.Graph) -> Unicode.Scalar {
    switch graph {
    case .braille: Unicode.Scalar(braille.lowerBound + UInt32(dots)) ?? " "
    case .block: block(dots)
    case .ascii: ascii(dots)
    }
  }

  private static func block(_ dots: UInt8) -> Unicode.Scalar {
    let hasUpper = dots & 0x1B != 0
    let hasLower = dots & 0xE4 != 0
    let hasLeft = dots & 0x47 != 0
    let hasRight = dots & 0xB8 != 0
    switch (hasUpper, hasLower) {
    case (false, false): return " "
    case (true, false): return "▀"
    case (false, true): return "▄"
    case (true, true): return hasLeft && hasRight ? "█" : hasLeft ? "▌" : "▐"
    }
  }

  private static func ascii(_ dots: UInt8) -> Unicode.Scalar {
    let rows = (0..<4).filter { dots & (bits[$0][0] | bits[$0][1]) != 0 }
    guard let top = rows.first, let bottom = rows.last else { return " " }
    if dots == 0xFF { return "#" }
    if bottom > top, let slope = slope(dots) { return slope }
    switch (top, bottom) {
    case (0, 0), (0, 1): return "'"
    case (1, 1), (1, 2), (2, 2): return "-"
    case (2, 3): return "."
    case (3, 3): return "_"
    default: return dots.nonzeroBitCount > 5 ? "#" : "|"
    }
  }

  /// A stroke whose left and right halves stand at clearly different heights.
  private static func slope(_ dots: UInt8) -> Unicode.Scalar? {
    func height(_ column: Int) -> Double? {
      let rows = (0..<4).filter { dots & bits[$0][column] != 0 }
      return rows.isEmpty ? nil : Double(rows.reduce(0, +)) / Double(rows.count)
    }
    guard let left = height(0), let right = height(1) else { return nil }
    if right - left >= 1.5 { return "\\" }
    return left - right >= 1.5 ? "/" : nil
  }
}
