/// Which runs of a list are wanted: words that all must be found, `|` between alternatives, `-`
/// or `!` before what must not be found.
///
/// A word is looked for in the name, the notes and the project; `name:`, `note:`, `project:`,
/// `tag:` and `state:` look there alone, `config:` in the options (`lr=0.01`), `has:` for a metric
/// or for `alarms`, `notes`. `cfg.lr>=1e-3` compares an option, `loss<2` a figure of the run: the
/// held-out `loss`, the `best` one, `steps`, `alarms`. Case makes no difference.
package struct RunFilter: Sendable {
  /// Why an expression cannot be read. The description is one line.
  package enum Flaw: Error, Equatable, CustomStringConvertible {
    case unclosedQuote
    case emptyTerm(String)
    case unknownField(String, nearest: String?)
    case noComparison(String)
    case unknownFigure(String, name: String)

    package var description: String {
      switch self {
      case .unclosedQuote: "a quote is not closed: end it with \""
      case .emptyTerm(let term): "nothing stands after '\(term)': give a word"
      case .unknownField(let field, let nearest):
        "no field '\(field):'" + (nearest.map { ", did you mean '\($0):'?" } ?? "")
          + " (quote a word that has a colon)"
      case .noComparison(let term):
        "'\(term)' compares nothing: write cfg.lr>=1e-3, with one of >= <= != = > <"
      case .unknownFigure(let term, let name):
        "'\(term)': a run has no figure '\(name)': compare loss, best, steps or alarms, or an "
          + "option as cfg.\(term)"
      }
    }
  }

  private enum Field: String, CaseIterable {
    case name, note, project, tag, state, config, has
  }

  /// What of a run is a number.
  package enum Figure: String, Sendable, CaseIterable {
    case loss, best, steps, alarms
  }

  private enum Test {
    case word(String)
    case field(Field, String)
    case option(String, Comparator, String)
    case figure(Figure, Comparator, String)
  }

  private enum Comparator: String, CaseIterable {
    case atLeast = ">="
    case atMost = "<="
    case unequal = "!="
    case equal = "="
    case above = ">"
    case below = "<"
  }

  private struct Term {
    var isNegated = false
    var test: Test
  }

  /// One of these must hold, and of it every term.
  private let alternatives: [[Term]]

  package init(_ expression: String) throws(Flaw) {
    var alternatives: [[Term]] = [[]]
    for token in try Self.tokens(expression) {
      guard let token else {
        alternatives.append([])
        continue
      }
      alternatives[alternatives.count - 1].append(try Self.term(token))
    }
    for terms in alternatives where terms.isEmpty && alternatives.count > 1 {
      throw .emptyTerm("|")
    }
    self.alternatives = alternatives
  }

  private struct Token {
    var text: String
    /// Whether it began with a quote: then it is a word, whatever it holds.
    var isQuoted: Bool
    var isNegated: Bool
  }

  /// Words, and nil for `|`.
  private static func tokens(_ expression: String) throws(Flaw) -> [Token?] {
    var tokens: [Token?] = []
    var rest = expression[...]
    while let first = rest.first {
      if first.isWhitespace || first == "|" {
        rest.removeFirst()
        if first == "|" { tokens.append(nil) }
        continue
      }
      var token = Token(text: "", isQuoted: false, isNegated: false)
      while let sign = rest.first, sign == "-" || sign == "!" {
        token.isNegated.toggle()
        rest.removeFirst()
      }
      token.isQuoted = rest.first == "\""
      var isInQuotes = false
      while let next = rest.first, isInQuotes || !(next.isWhitespace || next == "|") {
        rest.removeFirst()
        if next == "\"" { isInQuotes.toggle() } else { token.text.append(next) }
      }
      if isInQuotes { throw .unclosedQuote }
      if token.text.isEmpty { throw .emptyTerm(token.isQuoted ? "\"" : "-") }
      tokens.append(token)
    }
    return tokens
  }

  private static func term(_ token: Token) throws(Flaw) -> Term {
    var term = Term(isNegated: token.isNegated, test: .word(token.text.lowercased()))
    guard !token.isQuoted else { return term }
    if token.text.lowercased().hasPrefix("cfg.") {
      term.test = try option(token.text)
    } else if let test = try figure(token.text) {
      term.test = test
    } else if let colon = token.text.firstIndex(of: ":") {
      let word = token.text[..<colon].lowercased()
      guard let field = Field(rawValue: word) else {
        throw .unknownField(word, nearest: word.nearest(among: Field.allCases.map(\.rawValue)))
      }
      let value = token.text[token.text.index(after: colon)...]
      guard !value.isEmpty else { throw .emptyTerm(word + ":") }
      term.test = .field(field, value.lowercased())
    }
    return term
  }

  private static func option(_ text: String) throws(Flaw) -> Test {
    guard let (name, comparator, value) = comparison(text.dropFirst(4)) else {
      throw .noComparison(text)
    }
    guard !value.isEmpty else { throw .emptyTerm(text) }
    return .option(plain(name), comparator, value)
  }

  /// Words that compare no figure are words, unless they say that they mean to.
  private static func figure(_ text: String) throws(Flaw) -> Test? {
    guard let (name, comparator, value) = comparison(text[...]) else { return nil }
    guard let figure = Figure(rawValue: name.lowercased()) else {
      guard comparator == .equal || comparator == .unequal else {
        throw .unknownFigure(text, name: name)
      }
      return nil
    }
    guard !value.isEmpty else { throw .emptyTerm(text) }
    return .figure(figure, comparator, value)
  }

  /// The leftmost comparison counts, of two that begin there the longer; nil where there is none,
  /// or no name before it.
  private static func comparison(
    _ text: Substring
  ) -> (name: String, comparator: Comparator, value: String)? {
    guard let start = text.firstIndex(where: { "<>=!".contains($0) }), start > text.startIndex,
      let comparator = Comparator.allCases.first(where: { text[start...].hasPrefix($0.rawValue) })
    else { return nil }
    let value = text[start...].dropFirst(comparator.rawValue.count)
    return (String(text[..<start]), comparator, value.lowercased())
  }

  /// Options under either spelling: `moe.aux_loss` is `moe-aux-loss`.
  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" || $0 == "." ? "-" : $0 })
  }
}

extension RunFilter {
  package func matches(_ traits: RunTraits) -> Bool {
    alternatives.contains { terms in
      terms.allSatisfy { Self.holds($0.test, traits) != $0.isNegated }
    }
  }

  private static func holds(
    _ test: Test, _ traits: RunTraits
  ) -> Bool {
    switch test {
    case .word(let word):
      return texts(.name, traits).contains { $0.lowercased().contains(word) }
        || texts(.note, traits).contains { $0.lowercased().contains(word) }
        || texts(.project, traits).contains { $0.lowercased().contains(word) }
    case .field(.has, let word): return has(word, traits)
    case .field(let field, let word):
      return texts(field, traits).contains { $0.lowercased().contains(word) }
    case .option(let name, let comparator, let value):
      let found = traits.options.first { plain($0.key) == name }?.value
      guard let found else { return comparator == .unequal }
      return compares(found.lowercased(), comparator, value)
    case .figure(let figure, let comparator, let value):
      guard let found = traits.figures[figure] else { return comparator == .unequal }
      return compares("\(found)", comparator, value)
    }
  }

  private static func texts(
    _ field: Field, _ traits: RunTraits
  ) -> [String] {
    switch field {
    case .name: [traits.name]
    case .note: traits.notes
    case .project: traits.environment["project"].map { [$0] } ?? []
    case .tag:
      traits.tags + [traits.environment["tags"] ?? traits.options["tags"]].compactMap(\.self)
    case .state: [traits.state]
    case .config: traits.options.map { "\($0.key)=\($0.value)" }
    case .has: []
    }
  }

  private static func has(
    _ word: String, _ traits: RunTraits
  ) -> Bool {
    switch word {
    case "alarm", "alarms": return traits.alarms > 0
    case "note", "notes": return !traits.notes.isEmpty
    default:
      let glob = MetricGlob(word)
      return traits.metrics.contains { name in
        let path = name.path.lowercased()
        return glob.matches(MetricName(path)) || path.hasPrefix(word + "/")
      }
    }
  }

  /// Numbers by their value, on and off with them, all else as words.
  private static func compares(_ found: String, _ comparator: Comparator, _ value: String) -> Bool {
    let numbers = [found, value].compactMap { SettingValue(words: $0)?.number }
    let isNumeric = numbers.count == 2
    return switch comparator {
    case .equal: isNumeric ? numbers[0] == numbers[1] : found == value
    case .unequal: isNumeric ? numbers[0] != numbers[1] : found != value
    case .atLeast: isNumeric && numbers[0] >= numbers[1]
    case .atMost: isNumeric && numbers[0] <= numbers[1]
    case .above: isNumeric && numbers[0] > numbers[1]
    case .below: isNumeric && numbers[0] < numbers[1]
    }
  }
}
