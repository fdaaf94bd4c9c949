import Training

/// Judges texts in the built-in language, whose words and preferences are known.
///
/// A word is judged once the next one has begun: what a text breaks off in counts neither way, and a
/// text without a whole word does not pass.
package struct LanguageJudge: Sendable {
  package enum Level: String, Sendable {
    /// Each is a word of the language, with its ending.
    case words
    /// Each is also one of the few that like to follow the word before.
    case facts
  }

  private let language: SyntheticLanguage
  private let numbers: [[UInt8]: Int]

  /// - Parameter seed: of the language that runs learn without data of their own
  package init(seed: UInt64 = 1) {
    language = SyntheticLanguage(seed: seed)
    numbers = Dictionary(
      uniqueKeysWithValues: language.words.enumerated().map { ($0.element, $0.offset) })
  }

  package func passes(_ text: [UInt8], after prompt: [UInt8], level: Level) -> Bool {
    let verdicts = verdicts(on: text, after: prompt, level: level)
    return !verdicts.isEmpty && verdicts.allSatisfy(\.self)
  }

  /// The share of a text's words that are right; 0 for a text without a whole word.
  package func share(of text: [UInt8], after prompt: [UInt8], level: Level) -> Double {
    let verdicts = verdicts(on: text, after: prompt, level: level)
    return verdicts.isEmpty ? 0 : Double(verdicts.count(where: \.self)) / Double(verdicts.count)
  }

  /// Whether each of the text's own words is right.
  private func verdicts(on text: [UInt8], after prompt: [UInt8], level: Level) -> [Bool] {
    var (before, verdicts): (Int?, [Bool]) = (nil, [])
    for word in SyntheticLanguage.wholeWords(in: prompt + text) {
      let number = numbers[Array(word)]
      defer { before = number }
      guard word.endIndex > prompt.count else { continue }
      guard let number else {
        verdicts.append(false)
        continue
      }
      guard level == .facts, let previous = before else {
        verdicts.append(true)
        continue
      }
      verdicts.append(language.prefers(number, after: previous))
    }
    return verdicts
  }
}
