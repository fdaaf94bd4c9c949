import Formats

/// What a relay prints, taken apart: its own line, the file's bytes, the answers between them.
///
/// All of it comes from another machine and is taken for nothing but what it says: a line of it may be
/// long, senseless, or another's.
struct RelayStream {
  struct Greeting: Equatable {
    /// The byte of the file with which it begins.
    var offset: Int
    /// Why there are no hands; nil where there are.
    var refusal: String?
    /// Whether the file's bytes follow as they are, at any cut and without answers between them.
    var isRaw = false
    /// Of a run that is told from its beginning each time: what run that is.
    var mark: String?
  }

  enum Piece: Equatable {
    case greeting(Greeting)
    /// Bytes of the file.
    case file([UInt8])
    /// A line that may be an answer; the file's if it is none.
    case line([UInt8])
  }

  /// The file's byte that comes next, as far as whole lines of it have come.
  private(set) var offset: Int
  private(set) var greeting: Greeting?
  /// Bytes of lines that were too long to be taken.
  private(set) var skipped = 0
  private var rest: [UInt8] = []
  private var isSkipping = false
  private var preamble = 0

  /// Nobody's record is longer.
  static let longestLine = 1 << 23
  /// What a far shell says of its own accord before the relay does.
  private static let longestPreamble = 1 << 16

  init(from offset: Int) {
    self.offset = offset
  }

  /// Whether what has come cannot be a relay's.
  var isSenseless: Bool { greeting == nil && preamble > Self.longestPreamble }

  /// Takes what has come. Bytes of the file count as received with this call; a line that may be an
  /// answer does with ``count(_:)``.
  mutating func take(_ bytes: [UInt8]) -> [Piece] {
    if greeting?.isRaw == true { return [raw(bytes)] }
    var pieces: [Piece] = []
    var gathered: [UInt8] = []
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest + bytes[start...end]
      start = end + 1
      rest = []
      if isSkipping {
        isSkipping = false
        skip(line.count)
      } else if greeting == nil {
        if !greet(line, &pieces) { preamble += line.count }
        if greeting?.isRaw == true {
          let left = Array(bytes[start...])
          return left.isEmpty ? pieces : pieces + [raw(left)]
        }
      } else if Self.mayBeOther(line) {
        if !gathered.isEmpty { pieces.append(.file(gathered)) }
        gathered = []
        if !greet(line, &pieces) { pieces.append(.line(line)) }
      } else {
        gathered += line
        offset += line.count
      }
    }
    if !gathered.isEmpty { pieces.append(.file(gathered)) }
    keep(bytes[start...])
    return pieces
  }

  /// A line that might have been an answer was the file's.
  mutating func count(_ line: [UInt8]) { offset += line.count }

  private mutating func raw(_ bytes: [UInt8]) -> Piece {
    offset += bytes.count
    return .file(bytes)
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    rest += bytes
    if greeting == nil, rest.count > Self.longestPreamble { preamble += rest.count }
    guard rest.count > Self.longestLine || isSkipping else { return }
    isSkipping = true
    skip(rest.count)
    rest = []
  }

  private mutating func skip(_ count: Int) {
    skipped += count
    offset += count
  }

  private static let ownStarts = [Array(#"{"relay":{"#.utf8), Array(#"{"answer":"#.utf8)]

  private static func mayBeOther(_ line: [UInt8]) -> Bool {
    ownStarts.contains { line.starts(with: $0) }
  }

  /// Takes the relay's line on itself.
  /// - Returns: false where the line is another.
  private mutating func greet(_ line: [UInt8], _ pieces: inout [Piece]) -> Bool {
    guard line.starts(with: Self.ownStarts[0]), let value = try? JSONValue(line)["relay"],
      value["protocol"]?.number != nil, let offset = value["offset"]?.step, offset >= 0
    else { return false }
    let hasHands = value["hands"] == .flag(true)
    let refusal = value["reason"]?.text ?? "the relay says that there are none"
    let greeting = Greeting(
      offset: offset, refusal: hasHands ? nil : String(refusal.prefix(200)),
      isRaw: value["raw"] == .flag(true), mark: value["mark"]?.text.map { String($0.prefix(100)) })
    self.greeting = greeting
    self.offset = offset
    pieces.append(.greeting(greeting))
    return true
  }
}
