/// A word as a shell takes it.
package enum ShellWord {
  /// `word` itself where it is plain, else in single quotes.
  package static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./+=:@,".contains($0) }
    return isPlain && !word.isEmpty ? word : inQuotes(word)
  }

  /// `word` in single quotes, in which no shell reads anything into it.
  package static func inQuotes(_ word: String) -> String {
    "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// The word that `text`, as ``quoted(_:)`` writes it, stands for.
  package static func unquoted(_ text: String) -> String {
    guard text.count > 1, text.hasPrefix("'"), text.hasSuffix("'") else { return text }
    return String(text.dropFirst().dropLast()).replacing("'\\''", with: "'")
  }
}
