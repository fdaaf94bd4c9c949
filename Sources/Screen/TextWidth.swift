import Foundation

/// How many columns text takes on a terminal.
package enum TextWidth {
  package static func columns(of text: String) -> Int {
    var columns = 0
    for (_, width) in DisplayScalars(text) { columns += width }
    return columns
  }

  /// 0 for marks that attach to the character before and for format characters, 2 for East Asian
  /// wide ones and emoji, 1 for all others.
  package static func columns(of scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value < 0x300 { return value == 0xAD ? 0 : 1 }
    if contains(value, zeroWidth) { return 0 }
    return contains(value, wide) ? 2 : 1
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

  private static func contains(_ value: UInt32, _ ranges: [ClosedRange<UInt32>]) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(value)
  }

  private static let zeroWidth: [ClosedRange<UInt32>] = []
  private static let wide: [ClosedRange<UInt32>] = []
}

/// The scalars a text shows on a terminal with their widths: one a character as a reader counts
/// them, since a cell holds one scalar and terminals disagree about longer ones.
struct DisplayScalars: Sequence, IteratorProtocol {
  private var characters: String.Iterator

  init(_ text: String) { characters = text.makeIterator() }

  static let replacement: Unicode.Scalar = "\u{FFFD}"

  mutating func next() -> (scalar: Unicode.Scalar, width: Int)? {
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
