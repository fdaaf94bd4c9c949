import Foundation

/// How many columns text takes on a terminal.
package enum TextWidth {
  package static func columns(of text: String) -> Int {
    if text.isPrintableASCII { return text.utf8.count }
    var columns = 0
    for (_, width) in DisplayScalars(text) { columns += width }
    return columns
  }

  /// 0 for marks that attach to the character before and for format characters, 2 for East Asian
  /// wide ones and emoji, 1 for all others.
  package static func columns(of scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value < 0x300 { return value == 0xAD ? 0 : 1 }
    // Box lines, blocks and braille, which are most of what a screen holds.
    if (0x2190..<0x231A).contains(value) || (0x2400..<0x25FD).contains(value) { return 1 }
    if (0x2800..<0x2900).contains(value) { return 1 }
    return isZeroWidth(scalar) ? 0 : isWide(value) ? 2 : 1
  }

  /// The text if it fits, else its beginning with an ellipsis in the last column.
  package static func truncated(
    _ text: String, to columns: Int, ellipsis: String = "…"
  ) -> String {
    guard columns > 0 else { return "" }
    guard TextWidth.columns(of: text) > columns else { return text }
    let room = columns - TextWidth.columns(of: ellipsis)
    guard room >= 0 else { return prefix(of: text, columns: columns) }
    return prefix(of: text, columns: room) + ellipsis
  }

  /// The text with blanks after it up to the width, or cut to it.
  package static func padded(_ text: String, to columns: Int) -> String {
    let cut = truncated(text, to: columns)
    return cut + String(repeating: " ", count: max(0, columns - TextWidth.columns(of: cut)))
  }

  /// Lines of at most so many columns, broken between words where that is possible.
  package static func wrapped(_ text: String, to columns: Int) -> [String] {
    guard columns > 0 else { return [] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let joined = line.isEmpty ? String(word) : line + " " + word
      if TextWidth.columns(of: joined) <= columns {
        line = joined
        continue
      }
      if !line.isEmpty { lines.append(line) }
      line = String(word)
      while TextWidth.columns(of: line) > columns {
        let head = prefix(of: line, columns: columns)
        guard !head.isEmpty else { return lines }
        lines.append(head)
        line = String(line.dropFirst(head.count))
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }

  private static func prefix(of text: String, columns: Int) -> String {
    var used = 0
    var result = ""
    for character in text {
      let width = TextWidth.columns(of: String(character))
      guard used + width <= columns else { break }
      used += width
      result.append(character)
    }
    return result
  }

  private static func isZeroWidth(_ scalar: Unicode.Scalar) -> Bool {
    // Vowels and tails of conjoined Hangul join the consonant before them.
    if (0x1160...0x11FF).contains(scalar.value) { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }

  private static func isWide(_ value: UInt32) -> Bool {
    var low = 0
    var high = wide.count
    while low < high {
      let middle = (low + high) / 2
      if wide[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < wide.count && wide[low].contains(value)
  }

  /// East Asian wide and full width, emoji among them, after Unicode 14.0.0; what is unassigned
  /// between two characters of a range counts in.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x23F0...0x23F0,
    0x23F3...0x23F3, 0x25FD...0x25FE, 0x2614...0x2615, 0x2648...0x2653, 0x267F...0x267F,
    0x2693...0x2693, 0x26A1...0x26A1, 0x26AA...0x26AB, 0x26BD...0x26BE, 0x26C4...0x26C5,
    0x26CE...0x26CE, 0x26D4...0x26D4, 0x26EA...0x26EA, 0x26F2...0x26F3, 0x26F5...0x26F5,
    0x26FA...0x26FA, 0x26FD...0x26FD, 0x2705...0x2705, 0x270A...0x270B, 0x2728...0x2728,
    0x274C...0x274C, 0x274E...0x274E, 0x2753...0x2755, 0x2757...0x2757, 0x2795...0x2797,
    0x27B0...0x27B0, 0x27BF...0x27BF, 0x2B1B...0x2B1C, 0x2B50...0x2B50, 0x2B55...0x2B55,
    0x2E80...0x303E, 0x3041...0x3247, 0x3250...0x4DBF, 0x4E00...0xA4C6, 0xA960...0xA97C,
    0xAC00...0xD7A3, 0xF900...0xFAD9, 0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60,
    0xFFE0...0xFFE6, 0x16FE0...0x1B2FB, 0x1F004...0x1F004, 0x1F0CF...0x1F0CF, 0x1F18E...0x1F18E,
    0x1F191...0x1F19A, 0x1F200...0x1F320, 0x1F32D...0x1F335, 0x1F337...0x1F37C, 0x1F37E...0x1F393,
    0x1F3A0...0x1F3CA, 0x1F3CF...0x1F3D3, 0x1F3E0...0x1F3F0, 0x1F3F4...0x1F3F4, 0x1F3F8...0x1F43E,
    0x1F440...0x1F440, 0x1F442...0x1F4FC, 0x1F4FF...0x1F53D, 0x1F54B...0x1F54E, 0x1F550...0x1F567,
    0x1F57A...0x1F57A, 0x1F595...0x1F596, 0x1F5A4...0x1F5A4, 0x1F5FB...0x1F64F, 0x1F680...0x1F6C5,
    0x1F6CC...0x1F6CC, 0x1F6D0...0x1F6D2, 0x1F6D5...0x1F6DF, 0x1F6EB...0x1F6EC, 0x1F6F4...0x1F6FC,
    0x1F7E0...0x1F7F0, 0x1F90C...0x1F93A, 0x1F93C...0x1F945, 0x1F947...0x1F9FF, 0x1FA70...0x1FAF6,
    0x20000...0x3FFFD,
  ]
}

/// The scalars a text shows on a terminal with their widths: one a character as a reader counts
/// them, since a cell holds one scalar and terminals disagree about longer ones.
struct DisplayScalars: Sequence, IteratorProtocol {
  private var characters: String.Iterator
  private var bytes: String.UTF8View.Iterator
  /// Each byte is a character of one column then, and none need be looked at together.
  private let isPlain: Bool

  init(_ text: String) {
    characters = text.makeIterator()
    bytes = text.utf8.makeIterator()
    isPlain = text.isPrintableASCII
  }

  static let replacement: Unicode.Scalar = "\u{FFFD}"

  /// What stands for a character that a set of signs has nothing near to.
  static let lost: Unicode.Scalar = "?"

  mutating func next() -> (scalar: Unicode.Scalar, width: Int)? {
    if isPlain { return bytes.next().map { (Unicode.Scalar($0), 1) } }
    while let character = characters.next() {
      if let shown = DisplayScalars.shown(character) { return shown }
    }
    return nil
  }

  private static func shown(_ character: Character) -> (scalar: Unicode.Scalar, width: Int)? {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return nil }
    if first.value < 0x20 || (0x7F..<0xA0).contains(first.value) {
      let isBlank = first == "\t" || first == "\n" || first == "\r"
      return (isBlank ? " " : replacement, 1)
    }
    if first.isASCII, scalars.count == 1 { return (first, 1) }
    let scalar = scalars.count == 1 ? first : composed(character, first)
    let width = TextWidth.columns(of: scalar)
    return width == 0 ? nil : (scalar, width)
  }

  private static func composed(
    _ character: Character, _ first: Unicode.Scalar
  ) -> Unicode.Scalar {
    let text = String(character).precomposedStringWithCanonicalMapping
    return text.unicodeScalars.first ?? first
  }
}

extension String {
  fileprivate var isPrintableASCII: Bool { utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
}
