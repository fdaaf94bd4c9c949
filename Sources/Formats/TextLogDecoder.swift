import Telemetry

/// Decodes what a program prints: known forms first, else keys with numbers that come again and
/// again; the rest is the console's.
///
/// Known are lines that begin with a step (nanoGPT, llm.c, Megatron, torchtitan), dictionaries of
/// Python's (Hugging Face) and JSON within a line, epochs with their bars (Keras), `Epoch(train)`
/// (MMEngine), values below a step's line (OLMo) and tables between bars (RL libraries). Escapes are
/// left out; bars of tqdm are progress.
package struct TextLogDecoder: LogDecoder {
  private var cutter = LineCutter()
  private var lines = TextLineReader()

  package init() {}

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    cutter.take(bytes) { lines.take($0, in: $1, into: &batch) }
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    cutter.finish { lines.takeCut($0, in: $1, into: &batch) }
    lines.finish(into: &batch)
  }
}

/// Reads one printed line after another.
struct TextLineReader {
  var json = JSONLineReader()
  private var table: [JSONValue.Member] = []
  private var section = ""
  private var isInTable = false
  /// The step that was told last; nil before the first.
  var step: Int?
  /// Whether values may stand below a step's line.
  var isBelowStep = false
  private var epoch: Int?
  var epochSteps = EpochSteps()
  var rounds = Rounds()
  var places = PrintedPlaces()
  var mmEngine = MMEngineLine()
  private var columns = BlankTable()
  private var bars = ProgressBars()
  var lineCount = 0
  /// Keys that came in fewer than three lines, with what they said there.
  var candidates: [String: [(row: Int, value: Double)]] = [:]
  var known: Set<String> = []

  static let mostCandidates = 4096
  private static let longestLine = 1 << 16

  /// What one line tells; carriage returns part it like ends of line.
  mutating func take(_ bytes: [UInt8], in range: Range<Int>, into batch: inout RunBatch) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = bytes[start..<range.upperBound].firstIndex(of: 0x0d) ?? range.upperBound
      if end > start { take(part: bytes[start..<end], into: &batch) }
      start = end + 1
    }
  }

  /// The line that has no end: of its last word the rest may be missing.
  mutating func takeCut(_ bytes: [UInt8], in range: Range<Int>, into batch: inout RunBatch) {
    if let last = range.last, bytes[last] == UInt8(ascii: "}") {
      return take(bytes, in: range, into: &batch)
    }
    var end = range.upperBound
    while end > range.lowerBound, bytes[end - 1] > 0x20 { end -= 1 }
    if end > range.lowerBound { take(bytes, in: range.lowerBound..<end, into: &batch) }
    let word = String(decoding: bytes[end..<range.upperBound], as: UTF8.self)
    if !word.isEmpty { batch.console(word) }
  }

  mutating func finish(into batch: inout RunBatch) {
    endTable(into: &batch)
    take(places.finish(), into: &batch)
  }

  private mutating func take(part: ArraySlice<UInt8>, into batch: inout RunBatch) {
    let bytes = part.contains(0x1b) || part.contains(0x08) ? Self.withoutEscapes(part) : Array(part)
    guard let first = bytes.first(where: { $0 > 0x20 }) else { return }
    guard bytes.count <= Self.longestLine else {
      return batch.console(String(decoding: bytes.prefix(1024), as: UTF8.self) + " …")
    }
    if first == UInt8(ascii: "{"), json.takeObject(bytes, in: bytes.indices, into: &batch) {
      return
    }
    let line = String(decoding: bytes, as: UTF8.self)
    if takeTable(line, first, into: &batch) || takeBlankTable(line, into: &batch)
      || takeProgress(line, into: &batch)
      || takeDictionary(line, into: &batch) || takeEmbedded(bytes, into: &batch)
      || takeEpochs(line, into: &batch) || takePairs(line, into: &batch)
    {
      return
    }
    isBelowStep = false
    batch.console(line)
  }

  private static func withoutEscapes(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == 0x08 { continue }
      guard byte == 0x1b else {
        plain.append(byte)
        continue
      }
      guard let kind = rest.popFirst(), kind == UInt8(ascii: "[") || kind == UInt8(ascii: "]")
      else {
        continue
      }
      // A control sequence ends with a letter, a command to the terminal with a bell.
      while let byte = rest.popFirst() {
        let ends = kind == UInt8(ascii: "[") ? (0x40...0x7e).contains(byte) : byte == 0x07
        if ends { break }
      }
    }
    return plain
  }
}

extension TextLineReader {
  /// Bars of tqdm: how far it is.
  private mutating func takeProgress(_ line: String, into batch: inout RunBatch) -> Bool {
    guard line.contains("%|"), line.contains("it/s") || line.contains("s/it") || line.contains("[")
    else { return false }
    guard let bar = line.lastIndex(of: "|") else { return false }
    let rest = line[line.index(after: bar)...].drop { $0 == " " }
    let progress = rest.prefix { $0 != " " && $0 != "[" }
    guard progress.contains("/") else { return false }
    batch.description.environment[.progress] = String(progress)
    takePostfix(line, progress, into: &batch)
    // What is printed while a bar stands goes on in its line.
    if rest.contains("{") { _ = takeDictionary(String(rest), into: &batch) }
    return true
  }

  /// What stands behind a bar's times, `loss=2.5`; nothing where lines of their own tell the steps.
  private mutating func takePostfix(
    _ line: String, _ progress: Substring, into batch: inout RunBatch
  ) {
    guard step == nil else { return }
    for told in bars.read(line, progress: progress) {
      for (name, value) in told.values { batch.add(batch.metric(name), value) }
      batch.endRow(step: told.step, wallTime: nil, isWhole: false)
    }
  }

  /// A table whose columns stand below their names, with blanks between, as fastai prints it.
  private mutating func takeBlankTable(_ line: String, into batch: inout RunBatch) -> Bool {
    guard let members = columns.read(line) else { return false }
    json.take(members, into: &batch)
    return true
  }

  /// A dictionary as Python prints it.
  private mutating func takeDictionary(_ line: String, into batch: inout RunBatch) -> Bool {
    guard let start = line.range(of: "{'")?.lowerBound ?? line.range(of: "{\"")?.lowerBound,
      let members = PythonDictionary.members(of: line[start...]),
      members.contains(where: Self.holdsNumber)
    else { return false }
    if let step, !members.contains(where: { LogKeys.role(of: $0.key).isStep }) {
      json.clockTold(step: step - 1)
    }
    json.take(members, into: &batch)
    return true
  }

  /// A number may stand in quotes, as newer versions of Hugging Face's trainer print it.
  private static func holdsNumber(_ member: JSONValue.Member) -> Bool {
    member.value.number != nil || member.value.text.flatMap { WrittenNumber.read($0) } != nil
  }

  /// JSON at the end of a line.
  private mutating func takeEmbedded(_ bytes: [UInt8], into batch: inout RunBatch) -> Bool {
    guard let start = bytes.firstIndex(of: UInt8(ascii: "{")), start > 0,
      let last = bytes.last(where: { $0 > 0x20 }), last == UInt8(ascii: "}"),
      let value = try? JSONValue(bytes, in: start..<bytes.count), let members = value.members,
      members.contains(where: Self.holdsNumber)
    else { return false }
    json.take(members, into: &batch)
    return true
  }

  /// Tables between bars, a key and a value a line, as RL libraries print them.
  private mutating func takeTable(
    _ line: String, _ first: UInt8, into batch: inout RunBatch
  ) -> Bool {
    let trimmed = line.trimmed
    if trimmed.count >= 5, trimmed.allSatisfy({ "-=+─━".contains($0) }) {
      if table.isEmpty { batch.console(line) } else { endTable(into: &batch) }
      isInTable = true
      return true
    }
    guard trimmed.first == "|", trimmed.last == "|", trimmed.count > 2 else {
      if isInTable { endTable(into: &batch) }
      isInTable = false
      return false
    }
    let cells = trimmed.dropFirst().dropLast().split(
      separator: "|", omittingEmptySubsequences: false
    ).map { String($0).trimmed }
    guard cells.count == 2 else { return false }
    if cells[1].isEmpty, cells[0].hasSuffix("/") {
      section = String(cells[0])
    } else if let value = WrittenNumber.read(cells[1]) {
      table.append(.init(key: section + cells[0], value: .number(value)))
    }
    return isInTable || !table.isEmpty
  }

  private mutating func endTable(into batch: inout RunBatch) {
    section = ""
    guard !table.isEmpty else { return }
    json.take(table, into: &batch)
    table = []
  }

  /// Lines that count epochs: `Epoch 1/2`, and below it a bar with numbers behind it.
  private mutating func takeEpochs(_ line: String, into batch: inout RunBatch) -> Bool {
    let trimmed = line.trimmed
    if let count = Self.epochLine(trimmed) {
      epoch = count
      isBelowStep = false
      return true
    }
    guard let epoch, trimmed.contains("━") || trimmed.contains("[=") || trimmed.contains("=]")
    else {
      return false
    }
    let place = trimmed.prefix { $0 != " " }.split(separator: "/").map(String.init)
    guard place.count == 2, let done = Int(place[0]), let all = Int(place[1]) else { return false }
    guard done == all else { return true }
    let behind = trimmed.split(separator: " - ").dropFirst().joined(separator: " | ")
    let pairs = TextLine(behind).pairs.filter { $0.isMarked }
    guard !pairs.isEmpty else { return true }
    add(pairs, at: epoch, into: &batch)
    return true
  }

  private static func epochLine(_ line: String) -> Int? {
    let words = line.split(separator: " ")
    guard words.count == 2, words[0] == "Epoch" else { return nil }
    return words[1].split(separator: "/").first.flatMap { Int($0) }
  }
}

extension LogKeys.Role {
  var isStep: Bool {
    guard case .step = self else { return false }
    return true
  }
}

extension StringProtocol {
  /// Without blanks at either end.
  var trimmed: String {
    var rest = Substring(self)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }

  var lastWord: String {
    Substring(self).split(separator: " ").last.map(String.init) ?? ""
  }

  /// Where `text` stands first.
  func range(of text: String) -> Range<Index>? {
    firstRange(of: text)
  }
}
