/// A token's number: a byte, or what a tokenizer has made of a text.
package typealias Token = UInt16

/// The largest of `tokens`, which are little-endian; nil for none.
///
/// A maximum alone is taken of many at once, which finding where one lies is not.
package func largestToken(of tokens: UnsafeBufferPointer<Token>) -> Token? {
  guard !tokens.isEmpty else { return nil }
  var largest: Token = 0
  for token in tokens {
    let value = Token(littleEndian: token)
    largest = value > largest ? value : largest
  }
  return largest
}
