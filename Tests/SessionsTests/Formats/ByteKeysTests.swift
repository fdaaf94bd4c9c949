import Testing

@testable import Formats

@Suite(.timeLimit(.minutes(15))) struct ByteKeysTests {
  @Test func `each key has one number, in the order in which it was met`() {
    var keys = ByteKeys()
    let words = (0..<3000).map { "layer\($0)/norm" } + ["", "a", "ab", "b"]
    for (number, word) in words.enumerated() {
      let bytes = [9] + Array(word.utf8) + [9, 9]
      #expect(keys.number(of: bytes.span, in: 1..<bytes.count - 2) == nil)
      #expect(keys.insert(bytes.span, in: 1..<bytes.count - 2) == number)
    }
    for (number, word) in words.enumerated().reversed() {
      let bytes = Array(word.utf8)
      #expect(keys.number(of: bytes.span, in: bytes.indices) == number)
      #expect(keys.insert(bytes.span, in: bytes.indices) == number)
    }
    #expect(keys.keys.count == words.count)
  }
}
