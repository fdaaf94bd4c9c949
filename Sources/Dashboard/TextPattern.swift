/// What a person types to search: words that must all be there, a glob where there is a `*`, or a
/// regular expression where there are signs that only those have.
package struct TextPattern {
  private enum Kind {
    case words([Substring])
    case expression(Regex<AnyRegexOutput>)
  }

  private let kind: Kind
  /// Whether it has the signs of a regular expression and is none: its words are looked for.
  package let isBroken: Bool

  package init(_ text: String) {
    let written = Self.expression(text)
    let expression = written.flatMap { try? Regex($0).ignoresCase() }
    isBroken = written != nil && expression == nil
    kind = expression.map { .expression($0) } ?? .words(text.lowercased().split(separator: " "))
  }

  /// The regular expression that `text` stands for; nil for plain words.
  private static func expression(_ text: String) -> String? {
    let isRegular =
      text.contains(".*") || text.contains("|") || text.hasPrefix("^") || text.hasSuffix("$")
      || text.contains("[") || text.contains("\\")
    if isRegular { return text }
    guard text.contains("*") || text.contains("?") else { return nil }
    let parts = text.map { character in
      switch character {
      case "*": ".*"
      case "?": "."
      default: character.isLetter || character.isNumber ? "\(character)" : "\\\(character)"
      }
    }
    return parts.joined()
  }

  package func matches(_ text: String) -> Bool {
    switch kind {
    case .words(let words):
      let text = text.lowercased()
      return words.allSatisfy { text.contains($0) }
    case .expression(let expression): return text.contains(expression)
    }
  }
}
