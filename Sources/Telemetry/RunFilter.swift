/// Which runs of a list are wanted: words that all must be found, `|` between alternatives, `-`
/// or `!` before what must not be found.
///
/// A word is looked for in the name, the notes and the project; `name:`, `note:`, `project:`,
/// `tag:` and `state:` look there alone, `config:` in the options (`lr=0.01`), `has:` for a metric
/// or for `alarms`, `notes`. `cfg.lr>=1e-3` compares an option, `loss<2` what the list says in
/// numbers. Case makes no difference.
package struct RunFilter: Sendable {
  /// Why an expression cannot be read. The description is one line.
  package enum Flaw: Error, Equatable, CustomStringConvertible {
    case unclosedQuote
    case emptyTerm(String)
    case unknownField(String, nearest: String?)
    case noComparison(String)
    case unknownNumber(String, nearest: String?)
    case notANumber(String)

    package var description: String {
      switch self {
      case .unclosedQuote: "a quote is not closed: end it with \""
      case .emptyTerm(let term): "nothing stands after '\(term)': give a word"
      case .unknownField(let field, let nearest):
        "no field '\(field):'" + (nearest.map { ", did you mean '\($0):'?" } ?? "")
          + " (quote a word that has a colon)"
      case .noComparison(let term):
        "'\(term)' compares nothing: write cfg.lr>=1e-3, with one of >= <= != = > <"
      case .unknownNumber(let name, let nearest):
        "no number '\(name)' to compare: "
          + (nearest.map { "did you mean '\($0)'?" }
            ?? "there are \(Number.names); an option is cfg.\(name), a word with a sign is quoted")
      case .notANumber(let words): "'\(words)' is no number to compare with"
      }
    }
  }

  enum Field: String, CaseIterable {
    case name, note, project, tag, state, config, has
  }

  /// What the list of runs says in numbers.
  package enum Number: String, CaseIterable, Sendable {
    /// Nats a token: what the run is judged by, and the lowest held-out one.
    case loss, best
    case steps, alarms
    /// Seconds.
    case length
    /// Bytes.
    case size

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
  }

  enum Test {
    case word(String)
    case field(Field, String)
    case number(Number, Comparator, Double)
    case option(String, Comparator, String)
  }

  enum Comparator: String, CaseIterable {
    case atLeast = ">="
    case atMost = "<="
    case unequal = "!="
    case equal = "="
    case above = ">"
    case below = "<"
  }

  struct Term {
    var isNegated = false
    var test: Test
  }

  /// One of these must hold, and of it every term.
  let alternatives: [[Term]]

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
    } else if let sign = token.text.firstIndex(where: isSign),
      !token.text[..<sign].contains(":")
    {
      term.test = try number(token.text)
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
    let (name, comparator, value) = try comparison(text, of: text.dropFirst(4))
    return .option(plain(name), comparator, value.lowercased())
  }

  private static func number(_ text: String) throws(Flaw) -> Test {
    let (name, comparator, value) = try comparison(text, of: text[...])
    guard let number = Number(rawValue: name.lowercased()) else {
      let nearest = name.lowercased().nearest(among: Number.allCases.map(\.rawValue))
      throw .unknownNumber(name, nearest: nearest)
    }
    guard let bound = Double(value), !bound.isNaN else { throw .notANumber(value) }
    return .number(number, comparator, bound)
  }

  private static func isSign(_ character: Character) -> Bool {
    "<>=!".contains(character)
  }

  /// The leftmost comparison counts, of two that begin there the longer.
  private static func comparison(
    _ text: String, of body: Substring
  ) throws(Flaw) -> (name: String, Comparator, value: String) {
    guard let start = body.firstIndex(where: isSign),
      let comparator = Comparator.allCases.first(where: { body[start...].hasPrefix($0.rawValue) }),
      start > body.startIndex
    else { throw .noComparison(text) }
    let value = body[start...].dropFirst(comparator.rawValue.count)
    guard !value.isEmpty else { throw .emptyTerm(text) }
    return (String(body[..<start]), comparator, String(value))
  }

  /// Options under either spelling: `moe.aux_loss` is `moe-aux-loss`.
  static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" || $0 == "." ? "-" : $0 })
  }
}
