import Foundation
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SyntheticLanguageTests {
  @Test func `a seed gives the same text and entropy for ever`() throws {
    let corpus = Corpus.synthetic(seed: 1)
    #expect(corpus.count == 2_000_001)
    #expect(try corpus.fingerprint() == "b117c6f832218fe0")
    #expect(abs(try #require(corpus.entropyPerByte) - 0.5341829255287) < 1e-12)
    let texts = [1, 2].map { SyntheticLanguage(seed: $0).text(bytes: 500) }
    #expect(texts[0] != texts[1])
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `the shares of the words are the chain's fixed point`(seed: UInt64) {
    let language = SyntheticLanguage(seed: seed, vocabulary: 150)
    let words = language.words.indices
    for next in words {
      let share = words.reduce(0.0) {
        $0 + language.stationary[$1] * language.probability(of: next, after: $1)
      }
      #expect(abs(share - language.stationary[next]) < 1e-14)
    }
    #expect(abs(language.stationary.reduce(0, +) - 1) < 1e-12)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `the entropy is that of the rows, weighed by the words' shares`(seed: UInt64) {
    let language = SyntheticLanguage(seed: seed, vocabulary: 150)
    let words = language.words.indices
    var nats = 0.0
    for word in words {
      let row = words.map { language.probability(of: $0, after: word) }
      #expect(abs(row.reduce(0, +) - 1) < 1e-12)
      nats -= language.stationary[word] * row.reduce(0) { $0 + $1 * log($1) }
    }
    let bytes = words.reduce(0.0) {
      $0 + language.stationary[$1] * Double(language.words[$1].count)
    }
    #expect(abs(language.entropyPerByte - nats / bytes) < 1e-12)
  }

  @Test func `no word can be taken for another`() {
    let language = SyntheticLanguage(seed: 1)
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let spellings = language.words.map { $0.prefix { letters.contains($0) } }
    #expect(Set(spellings).count == language.words.count)
    let endings = Set(zip(language.words, spellings).map { $0.dropFirst($1.count) })
    #expect(endings == Set([" ", ", ", ".\n"].map { ArraySlice($0.utf8) }))
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `the text's surprise under its own chain is the entropy, within its error`(
    seed: UInt64
  ) throws {
    let language = SyntheticLanguage(seed: seed)
    let words = try decoded(language.text(bytes: 2_000_000), language)
    // surprise - H bytes has mean 0; blocks of 100 words make the terms all but independent.
    var blocks: [Double] = []
    for start in stride(from: 1, to: words.count - 100, by: 100) {
      blocks.append(
        (start..<(start + 100)).reduce(0.0) { sum, at in
          let chance = language.probability(of: words[at], after: words[at - 1])
          return sum - log(chance)
            - language.entropyPerByte * Double(language.words[words[at]].count)
        })
    }
    let mean = blocks.reduce(0, +) / Double(blocks.count)
    let variance = blocks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(blocks.count - 1)
    #expect(abs(mean) < 4 * (variance / Double(blocks.count)).squareRoot())
    #expect(variance > 0)
  }

  /// The words of a text, told apart by their letters.
  private func decoded(_ text: [UInt8], _ language: SyntheticLanguage) throws -> [Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: language.words.enumerated().map { ($1, $0) })
    var words: [Int] = []
    var start = 0
    while start < text.count {
      var end = start
      while text[end] != UInt8(ascii: " ") && text[end] != UInt8(ascii: "\n") { end += 1 }
      words.append(try #require(numbers[Array(text[start...end])]))
      start = end + 1
    }
    return words
  }
}
