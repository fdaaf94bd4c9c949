/// A printed line as words and numbers: keys with the numbers behind them, whatever stands between.
struct TextLine {
  struct Pair {
    var key: String
    let value: Double
    /// What stands right behind the number: `ms`, `%`, `tok/s`.
    let unit: String
    /// The number behind a bar, `1/100`.
    let total: Double?
    /// Whether a colon or an equals sign joins them.
    let isMarked: Bool
  }

  private(set) var pairs: [Pair] = []
  /// The words since the last number.
  private var words: [Substring] = []
  private var isMarked = false

  private static let mostWords = 6
  private static let units: Set<String> = [
    "ms", "s", "us", "%", "tok/s", "tokens/s", "tokens/sec", "it/s", "s/it", "img/s", "gib", "gb",
    "mib", "mb", "ms/step", "s/step",
  ]

  init(_ line: some StringProtocol) {
    let tokens = Self.tokens(String(line))
    var index = 0
    while index < tokens.count {
      index = take(tokens, at: index)
    }
  }

  /// The words of a line; bars and what else parts its pairs as tokens of their own.
  private static func tokens(_ line: String) -> [Substring] {
    var tokens: [Substring] = []
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      .flatMap { $0.contains("=") ? Self.assignments($0) : [$0] }
    for word in words {
      var rest = word
      while let bar = rest.firstIndex(of: "|") {
        if bar > rest.startIndex { tokens.append(rest[..<bar]) }
        tokens.append("|")
        rest = rest[rest.index(after: bar)...]
      }
      if !rest.isEmpty { tokens.append(rest) }
    }
    return tokens
  }

  /// The parts of `a=1,b=2` and `a=1/b=2`; a comma between digits is the number's.
  private static func assignments(_ word: Substring) -> [Substring] {
    var parts: [Substring] = []
    var (start, index) = (word.startIndex, word.startIndex)
    while index < word.endIndex {
      defer { index = word.index(after: index) }
      guard word[index] == "," || word[index] == "/" else { continue }
      let rest = word[word.index(after: index)...]
      guard rest.first.map({ !isDigit($0) }) ?? true, word[start..<index].contains("="),
        word[index] == "," || rest.contains("=")
      else { continue }
      if index > start { parts.append(word[start...index]) }
      start = word.index(after: index)
    }
    return (start < word.endIndex ? parts + [word[start...]] : parts).map { part in
      part.last == "/" ? part.dropLast() : part
    }
  }

  private static let separators: Set<Substring> = ["|", "-", ",", ";", "->", "=>", "→", "–", "—"]

  /// Takes the token at `index` and what belongs to it.
  ///
  /// - Returns: the index behind it.
  private mutating func take(_ tokens: [Substring], at index: Int) -> Int {
    var token = tokens[index]
    if Self.separators.contains(token) {
      forget()
      return index + 1
    }
    // What a bracket holds explains the number before it.
    if token.hasPrefix("("), words.isEmpty { return Self.behindBracket(tokens, index) }
    let ends = token.last.map { $0 == "," || $0 == ";" } ?? false
    while let last = token.last, last == "," || last == ";" || last == "]" { token.removeLast() }
    while token.first == "[" { token.removeFirst() }
    guard !token.isEmpty else { return index + 1 }
    if let equals = token.firstIndex(where: { $0 == "=" }), equals > token.startIndex,
      token.index(after: equals) < token.endIndex
    {
      words.append(token[..<equals])
      isMarked = true
      // Of a list the first one counts.
      token = token[token.index(after: equals)...].drop { $0 == "[" || $0 == "(" }
    } else if let colon = token.firstIndex(of: ":"), colon > token.startIndex,
      token.index(after: colon) < token.endIndex, !Self.isDigit(token[token.startIndex]),
      Number(token[token.index(after: colon)...]) != nil
    {
      words.append(token[..<colon])
      isMarked = true
      token = token[token.index(after: colon)...]
    }
    var next = index + 1
    // `number of nan iterations` counts them.
    if words.last == "of", !isMarked, token.first?.isLetter == true {
      words.append(token)
      return next
    }
    if let number = Self.number(token, tokens, &next) {
      add(number, tokens, &next)
      if ends { forget() }
      return next
    }
    if token == "=" || token == ":" {
      isMarked = true
      return next
    }
    // `231.07/s` is a number of its own kind, and no word of a key.
    if let first = token.first(where: { $0 != "(" }), Self.isDigit(first),
      token.contains(where: { $0 == "/" || $0 == ")" || $0 == "(" })
    {
      forget()
      return next
    }
    if token.last == ":" || token.last == "=" {
      isMarked = true
      token.removeLast()
    } else if isMarked {
      // A word for a value.
      forget()
      return next
    }
    if !token.isEmpty { words.append(token) }
    if ends || words.count > Self.mostWords { forget() }
    return next
  }

  private mutating func forget() {
    words.removeAll(keepingCapacity: true)
    isMarked = false
  }

  private static func behindBracket(_ tokens: [Substring], _ start: Int) -> Int {
    var index = start
    while index < tokens.count, index < start + 4 {
      if tokens[index].contains(")") { return index + 1 }
      index += 1
    }
    return start + 1
  }

  private static func isDigit(_ character: Character) -> Bool {
    character >= "0" && character <= "9"
  }

  /// A number with its unit.
  private struct Number {
    let value: Double
    var unit = ""
    var total: Double?

    init?(_ text: Substring) {
      if let value = TextLine.plain(text) {
        self.value = value
        return
      }
      let digits = text.prefix { TextLine.isDigit($0) || "+-.eE,".contains($0) }
      let rest = text[digits.endIndex...]
      if let value = TextLine.plain(digits), TextLine.units.contains(rest.lowercased()) {
        (self.value, unit) = (value, rest.lowercased())
        return
      }
      guard rest.first == "/", let value = TextLine.plain(digits) else { return nil }
      let behind = rest.dropFirst()
      guard behind.isEmpty || TextLine.plain(behind) != nil else { return nil }
      self.value = value
      total = behind.isEmpty ? .nan : TextLine.plain(behind)
    }
  }

  /// A number with digits alone, with a comma every three of them, or a word for one.
  private static func plain(_ text: Substring) -> Double? {
    guard let first = text.first, isDigit(first) || "+-.nNiI".contains(first) else { return nil }
    if let number = WrittenNumber.read(text) { return number }
    let groups = text.split(separator: ",", omittingEmptySubsequences: false)
    guard groups.count > 1, groups[0].count <= 3,
      groups.dropFirst().allSatisfy({ $0.prefix { isDigit($0) }.count == 3 })
    else { return nil }
    return WrittenNumber.read(groups.joined())
  }

  private static func number(
    _ token: Substring, _ tokens: [Substring], _ next: inout Int
  ) -> Number? {
    var token = token
    if token.last == ":" { token.removeLast() }
    if let bracket = token.firstIndex(of: "("), token.last == ")" { token = token[..<bracket] }
    guard var number = Number(token) else { return nil }
    // `100/   1000` is one number of a total.
    if number.total?.isNaN == true {
      number.total = next < tokens.count ? plain(tokens[next]) : nil
      if number.total != nil { next += 1 }
    }
    // `100 of 1000`
    if number.total == nil, next + 1 < tokens.count, tokens[next] == "of",
      let total = plain(tokens[next + 1].trimmingSuffix { ",;:]".contains($0) })
    {
      number.total = total
      next += 2
    }
    return number
  }

  private mutating func add(_ number: Number, _ tokens: [Substring], _ next: inout Int) {
    var unit = number.unit
    var key = words.joined(separator: " ")
    if next < tokens.count, unit.isEmpty {
      let word = tokens[next].trimmingSuffix { $0 == "," || $0 == ";" }.lowercased()
      if Self.units.contains(word) {
        unit = word
        next += 1
      }
    }
    // A number before its words: `44.7% bf16 MFU`.
    if key.isEmpty, unit == "%" {
      var names: [Substring] = []
      while next < tokens.count, tokens[next] != "|", names.count < 3 {
        names.append(tokens[next])
        next += 1
      }
      // The utilisation of the machine's arithmetic, whatever stands before it.
      key = names.last.map { $0.lowercased() } == "mfu" ? "mfu" : ""
    }
    if key.isEmpty { key = Self.name(ofUnit: unit) }
    if !key.isEmpty {
      pairs.append(
        Pair(
          key: key, value: number.value, unit: unit, total: number.total, isMarked: isMarked))
    }
    forget()
  }

  /// What a number is that its unit alone names.
  private static func name(ofUnit unit: String) -> String {
    switch unit {
    case "ms", "ms/step": "step_ms"
    case "tok/s", "tokens/s", "tokens/sec": "tokens_per_s"
    default: ""
    }
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, isTrimmed(last) { rest.removeLast() }
    return rest
  }
}
