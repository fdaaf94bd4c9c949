/// A change of a text that leaves what it says, or most of it.
protocol TextChange: Sendable {
  var name: String { get }
  /// What is changed, and where features are compared.
  var meaning: String { get }
  /// - Returns: nil where there is nothing to change
  func apply(to passage: Passage) -> ChangedText?
}

/// Text a little longer than a window.
struct Passage: Sendable {
  let number: Int
  let bytes: [UInt8]
  /// T: the first T + 1 bytes are the window.
  let context: Int

  var window: [UInt8] { Array(bytes[...context]) }
}

/// A changed window, and which of its positions stand for which of the passage's.
struct ChangedText: Sendable {
  /// T + 1.
  let bytes: [UInt8]
  let pairs: [(own: Int, changed: Int)]
}

/// Capitals for small letters, and the other way.
struct CaseChange: TextChange {
  let name = "case"
  let meaning = "letters in the other case, from the first one on"

  func apply(to passage: Passage) -> ChangedText? {
    passage.replacing { Self.isLetter($0) ? $0 ^ 0x20 : nil }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}

/// Ends of lines for spaces, and the other way, so that no byte moves.
struct WhiteSpaceChange: TextChange {
  let name = "space"
  let meaning = "spaces and ends of lines swapped; compared is what stands between"

  func apply(to passage: Passage) -> ChangedText? {
    let (space, end) = (UInt8(ascii: " "), UInt8(ascii: "\n"))
    return passage.replacing(comparing: { $0 != space && $0 != end }) {
      $0 == space ? end : $0 == end ? space : nil
    }
  }
}

extension Passage {
  /// The window with other bytes; compared are those from the first other one on.
  fileprivate func replacing(
    comparing isCompared: (UInt8) -> Bool = { _ in true }, _ other: (UInt8) -> UInt8?
  ) -> ChangedText? {
    let window = window
    guard let first = window.firstIndex(where: { other($0) != nil }) else { return nil }
    let pairs = (first..<context).filter { isCompared(window[$0]) }
    return ChangedText(bytes: window.map { other($0) ?? $0 }, pairs: pairs.map { ($0, $0) })
  }
}

/// The same text a quarter of a window further to the left: its first bytes are not seen.
struct PositionShift: TextChange {
  let name = "position"
  let meaning = "moved by a quarter of a window, in its second half"

  func apply(to passage: Passage) -> ChangedText? {
    let shift = max(1, passage.context / 4)
    guard passage.bytes.count > passage.context + shift else { return nil }
    return ChangedText(
      bytes: Array(passage.bytes[shift...(passage.context + shift)]),
      pairs: (max(shift, passage.context / 2)..<passage.context).map { ($0, $0 - shift) })
  }
}
