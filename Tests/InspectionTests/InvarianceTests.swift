import Foundation
import Kernels
import Models
import TestSupport
import Testing
import Training

@testable import Inspection

/// Changes of a text, and how alike a model's features stay under them.
@Suite(.timeLimit(.minutes(15)))
struct InvarianceTests {
  private let folder: TestFolder
  private static let language = SyntheticLanguage(seed: 1).text(bytes: 4000)

  init() throws { folder = try TestFolder() }

  private func passage(_ text: String, context: Int) -> Passage {
    Passage(number: 0, bytes: Array(text.utf8), context: context)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `letters change their case and nothing else does`() throws {
    let changed = try #require(CaseChange().apply(to: passage("1 aB, {Z} next", context: 8)))
    #expect(text(changed.bytes) == "1 Ab, {z}")
    #expect(changed.pairs.map(\.own) == Array(2..<8))
    #expect(changed.pairs.allSatisfy { $0.own == $0.changed })
    #expect(CaseChange().apply(to: passage("12 {}@[`", context: 7)) == nil)
  }

  @Test func `white space is swapped in its place and left out of what is compared`() throws {
    let changed = try #require(WhiteSpaceChange().apply(to: passage("ab c\nde f", context: 8)))
    #expect(text(changed.bytes) == "ab\nc de\nf")
    #expect(changed.pairs.map(\.own) == [3, 5, 6])
    #expect(WhiteSpaceChange().apply(to: passage("abcdefgh", context: 7)) == nil)
  }

  @Test func `a moved window has the same bytes at the places that are compared`() throws {
    let own = passage("abcdefghijklmnopqrstuvwxyz", context: 16)
    let changed = try #require(PositionShift().apply(to: own))
    #expect(text(changed.bytes) == "efghijklmnopqrstu")
    #expect(changed.pairs.count == 8)
    for (position, other) in changed.pairs {
      #expect(own.bytes[position] == changed.bytes[other] && position - other == 4)
    }
  }

  @Test func `a word of the language is swapped for one as long with the same ending`() throws {
    let words = Set(SyntheticLanguage(seed: 1).words)
    var swapped = 0
    for number in 0..<20 {
      let bytes = Array(Self.language[(number * 100)..<(number * 100 + 100)])
      let own = Passage(number: number, bytes: bytes, context: 64)
      guard let changed = WordSwap().apply(to: own) else { continue }
      let other = own.window.indices.filter { own.window[$0] != changed.bytes[$0] }
      let (first, last) = (try #require(other.first), try #require(other.last))
      #expect(changed.bytes.count == 65 && last - first < 10)
      let start = try #require(changed.pairs.first?.own)
      #expect(start > last && changed.pairs.last?.own == 63)
      let whole = SyntheticLanguage.wholeWords(in: changed.bytes).dropFirst()
      #expect(whole.allSatisfy { words.contains(Array($0)) })
      swapped += 1
    }
    #expect(swapped > 10)
    #expect(WordSwap().apply(to: passage("no word of the language is here", context: 24)) == nil)
  }

  private func trial(_ bytes: [UInt8], blindToCase: Bool = false) throws -> ModelTrial {
    let shape = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 32)
    let layout = ParameterLayout(shape)
    let weights = FloatBuffer(count: layout.count)
    initialise(parameters: weights, layout: layout, seed: 3)
    if blindToCase {
      let embedding = try #require(layout.tensors.first { $0.role == .embedding })
      for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
        for column in 0..<16 {
          weights[embedding.offset + Int(letter ^ 0x20) * 16 + column] =
            weights[embedding.offset + Int(letter) * 16 + column]
        }
      }
    }
    let zeros = FloatBuffer(count: layout.count)
    let path = try CheckpointFolder.write(
      CheckpointContents(
        configuration: shape, layout: layout, qkLayerNormWeight: 0, parameters: weights,
        firstMoments: zeros, secondMoments: zeros), step: 1, run: ["seed": 3],
      to: folder.path(blindToCase ? "blind" : "seeing"))
    let evaluation = try Evaluation(
      checkpoint: CheckpointFolder.read(path),
      corpus: Corpus(bytes: bytes, name: "text", description: "text"), workers: 1)
    return try ModelTrial(
      evaluation, windows: evaluation.windows, most: 8, pool: WorkerPool(workers: 1))
  }

  private func invariance(
    _ bytes: [UInt8], blindToCase: Bool = false
  ) throws -> [String: [Invariance.Likeness]] {
    let trial = try trial(bytes, blindToCase: blindToCase)
    let corpus = Corpus(bytes: bytes, name: "text", description: "text")
    let found = try Invariance(
      trial, ConsecutiveWindows(corpus: corpus, context: 32), most: 12)
    #expect(found.passages == 12)
    return Dictionary(uniqueKeysWithValues: found.changes.map { ($0.name, $0.layers) })
  }

  @Test func `a model that does not see the case is wholly invariant to it, one that does is not`()
    throws
  {
    let blind = try #require(try invariance(Self.language, blindToCase: true)["case"])
    #expect(blind.count == 3 && blind.allSatisfy { abs($0.invariance - 1) < 1e-9 })
    let seeing = try #require(try invariance(Self.language)["case"])
    #expect(seeing.allSatisfy { $0.invariance < 0.7 && $0.random < 0.5 })
  }

  @Test func `below the first layer a byte is the same wherever it stands and whatever was before`()
    throws
  {
    let found = try invariance(Self.language)
    #expect(Set(found.keys) == ["case", "space", "position", "word"])
    for name in ["space", "position", "word"] {
      let layers = try #require(found[name])
      #expect(abs(layers[0].changed - 1) < 1e-9, "\(name)")
      #expect(layers[2].invariance < 1 - 1e-6 && layers[2].invariance > 0.3, "\(name)")
    }
  }

  @Test func `what a text has nothing of is left out, and too little text is refused`() throws {
    let digits = (0..<2000).map { UInt8(48 + ($0 * $0 / 7) % 10) }
    #expect(Set(try invariance(digits).keys) == ["position"])
    let trial = try trial(digits)
    let short = Corpus(bytes: Array(digits.prefix(70)), name: "short", description: "short")
    #expect(throws: InspectionError.tooFewPassages(data: "short")) {
      _ = try Invariance(trial, ConsecutiveWindows(corpus: short, context: 32), most: 12)
    }
  }
}
