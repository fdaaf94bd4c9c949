/// What loggers put in front of a message.
enum LoggerPrefix {
  /// The message without a time, a level, a name in front of it.
  static func removed(from line: String) -> Substring {
    if let rest = glogMessage(line) { return rest }
    let line = withoutTime(withoutBrackets(line))
    for level in ["INFO", "DEBUG", "WARNING"] where line.contains(level) {
      for (before, after) in [
        (" - ", " - "), (" ", " - "), ("] ", ": "), (" ", ": "), (" ", " "), ("", ":"),
      ] {
        guard let range = line.range(of: before + level + after), isLeading(range, in: line)
        else { continue }
        return withoutName(line[range.upperBound...].drop { $0 == " " })
      }
      if let message = behindBars(line, level) { return message }
      if line.hasPrefix(level + " ") {
        return withoutName(line.dropFirst(level.count).drop { $0 == " " })
      }
    }
    return line
  }

  /// Whether a level stands in front of a message: behind a step it is a word of it.
  private static func isLeading(_ level: Range<String.Index>, in line: Substring) -> Bool {
    !PrintedStep.isTold(by: TextLine(line[..<level.lowerBound]).pairs)
  }

  /// What stands behind a level between bars, and behind the place in the program that loguru tells:
  /// `| INFO     | __main__:train:42 - step 10`.
  private static func behindBars(_ line: Substring, _ level: String) -> Substring? {
    guard let range = line.range(of: level), isLeading(range, in: line),
      line[..<range.lowerBound].last(where: { $0 != " " }).map({ $0 == "|" }) ?? true
    else { return nil }
    let rest = line[range.upperBound...].drop { $0 == " " }
    guard rest.first == "|" else { return nil }
    let message = rest.dropFirst().drop { $0 == " " }
    let place = message.prefix { $0 != " " }
    let behind = message[place.endIndex...]
    guard place.count(where: { $0 == ":" }) == 2, behind.hasPrefix(" - ") else { return message }
    return behind.dropFirst(3)
  }

  /// A message without the name of a logger before it, `trainer: ` or `root:`. What is no logger's: a
  /// key, behind which its value stands, and the part of the data that numbers are of.
  private static func withoutName(_ message: Substring) -> Substring {
    let name = message.prefix { $0.isLetter || $0.isNumber || "._".contains($0) }
    guard name.first?.isLetter == true || name.first == "_",
      message[name.endIndex...].first == ":"
    else { return message }
    let rest = message[name.endIndex...].dropFirst().drop { $0 == " " }
    let next = rest.prefix { $0.isLetter }.lowercased()
    guard !next.isEmpty, !["nan", "inf", "infinity", "none", "true", "false"].contains(next),
      !PrintedSplit.isPart(name)
    else { return message }
    return rest
  }

  /// What stands behind the words that Google's loggers put in front of a message:
  /// `I0101 10:00:00.123456 140000 train.py:123] `; nil for other lines.
  static func glogMessage(_ line: String) -> Substring? {
    guard let first = line.utf8.first, "IWEF".utf8.contains(first),
      line.dropFirst().prefix(4).allSatisfy(\.isNumber), let end = line.firstRange(of: "] "),
      line[..<end.lowerBound].split(separator: " ").count == 4
    else { return nil }
    return line[end.upperBound...]
  }

  /// A line without the date and the time of day before its words.
  private static func withoutTime(_ line: Substring) -> Substring {
    guard line.utf8.first(where: { $0 > 0x20 }).map({ (0x30...0x39).contains($0) }) == true else {
      return line
    }
    var rest = line.drop { $0 == " " }
    var isDate = false
    while true {
      let word = rest.prefix { $0 != " " && $0 != "\t" }
      let behind = rest[word.endIndex...].drop { $0 == " " || $0 == "\t" }
      // `01/02` is a date before a time of day alone.
      let next = behind.prefix { $0 != " " && $0 != "\t" }
      isDate = !isDate && word.count(where: { $0 == "/" }) > 0 && isTime(next)
      guard isDate || isTime(word) else { return rest }
      rest = behind.drop { "|-: ".contains($0) }
    }
  }

  /// `2024-01-01`, `10:00:00,123`, `2024-01-01T10:00:00Z`
  static func isTime(_ word: Substring) -> Bool {
    guard word.first?.isNumber == true, word.allSatisfy({ $0.isNumber || "-:.,TZ+".contains($0) })
    else { return false }
    return word.count(where: { $0 == ":" }) > 1 || word.count(where: { $0 == "-" }) > 1
  }

  /// A line without the brackets at its beginning that hold a time, a level, a file or a rank.
  private static func withoutBrackets(_ line: String) -> Substring {
    var rest = line[...]
    while true {
      let start = rest.drop { $0 == " " }
      guard start.first == "[", let end = start.firstIndex(of: "]") else { return rest }
      let inside = start[..<end].dropFirst()
      let isTime = inside.filter { $0 == ":" }.count > 1 && inside.contains { $0.isNumber }
      let words = ["INFO", "WARN", "DEBUG", "ERROR", ".py:", "Rank ", "rank"]
      guard isTime || words.contains(where: { inside.contains($0) }) else { return rest }
      rest = start[start.index(after: end)...]
    }
  }
}

/// How a printed line tells its step.
enum PrintedStep {
  /// Whether a key tells a step.
  static func isTold(by pairs: [TextLine.Pair]) -> Bool { index(in: pairs) != nil }

  /// A line tells its step with its first words, or with a key for it.
  static func index(in pairs: [TextLine.Pair]) -> Int? {
    var found: (index: Int, rank: Int)?
    for (index, pair) in pairs.enumerated() {
      guard pair.value == pair.value.rounded(), abs(pair.value) <= 0x1p52,
        let rank = Self.rank(of: pair, among: pairs), rank < found?.rank ?? .max
      else { continue }
      let words = pair.key.split(separator: " ").map { $0.lowercased() }
      let before = words.count > 1 ? words[words.count - 2] : ""
      guard before == "at" || before == "@" || words.count <= 3 && isDisjoint(words.dropLast())
      else { continue }
      found = (index, rank)
    }
    return found.map { finer(than: $0.index, in: pairs) }
  }

  /// `iter 3 step 1`: of two counts side by side the one that has gone further counts every line.
  private static func finer(than index: Int, in pairs: [TextLine.Pair]) -> Int {
    let neighbours = [index - 1, index + 1].filter(pairs.indices.contains)
    return neighbours.first { other in
      let key = pairs[other].key.lowercased()
      return (key == "iter" || key == "iteration") && pairs[other].total == nil
        && pairs[other].value == pairs[other].value.rounded()
        && pairs[other].value > pairs[index].value
    } ?? index
  }

  private static func rank(of pair: TextLine.Pair, among pairs: [TextLine.Pair]) -> Int? {
    if case .step(let rank) = LogKeys.role(of: pair.key.lastWord) { return rank }
    return isBatch(pair, pairs) ? .max - 1 : nil
  }

  /// `Total optimization steps = 300` tells no step.
  private static func isDisjoint(_ words: some Sequence<String>) -> Bool {
    let others: Set<String> = [
      "per", "total", "num", "number", "max", "maximum", "optimization", "warmup", "logging",
      "save", "eval", "every", "accumulation",
    ]
    return words.allSatisfy { !others.contains($0) }
  }

  /// `[Epoch 1/10] [Batch 20/100]`: batches of an epoch are its steps.
  private static func isBatch(_ pair: TextLine.Pair, _ pairs: [TextLine.Pair]) -> Bool {
    pair.total != nil && ["batch", "it"].contains(pair.key.lowercased())
      && pairs.contains { LogKeys.role(of: $0.key.lastWord) == .epoch }
  }

  /// `[10]`, then a tab and values, as libraries of trees print it.
  ///
  /// `isBehindLogger`: whether a logger's own words stand before it, so that it is no process's.
  static func bracketIndex(
    _ text: Substring, isBehindLogger: Bool, _ pairs: inout [TextLine.Pair]
  ) -> Int? {
    guard text.first == "[", let end = text.firstIndex(of: "]"), pairs.allSatisfy(\.isMarked),
      let step = Int(text[..<end].dropFirst()), step >= 0,
      text[text.index(after: end)...].first == "\t" || isBehindLogger
    else { return nil }
    // The number may have been taken for a part of the first key.
    pairs = TextLine(text[text.index(after: end)...]).pairs
    guard !pairs.isEmpty else { return nil }
    pairs.append(
      TextLine.Pair(key: "step", value: Double(step), unit: "", total: nil, isMarked: true))
    return pairs.count - 1
  }

  /// Whether a line tells what was measured on held-out data at the step before it.
  static func isHeldOut(_ pairs: [TextLine.Pair], _ text: Substring) -> Bool {
    let words = text.split(separator: " ").prefix(2).joined(separator: " ").lowercased()
    return ["val loss", "validation loss", "eval loss", "test loss"].contains {
      words.hasPrefix($0)
    } && pairs.count <= 3
  }
}
