import Kernels

extension Corpus {
  /// Tokens read at a time: they stay near the processor.
  private static let checkedAtOnce = 1 << 18

  /// Reads all ids once, so that none that the model has no row for ends a run on its way.
  /// - Throws: `unknownToken`; what reading throws.
  func checkTokens() throws(DataError) {
    guard !isBytes, vocabulary < Self.largestVocabulary else { return }
    let tokens = UnsafeMutableBufferPointer<Token>.allocate(
      capacity: min(count, Self.checkedAtOnce))
    defer { tokens.deallocate() }
    var start = 0
    while start < count {
      let end = min(start + tokens.count, count)
      let part = tokens.extracting(0..<end - start)
      try copyBytes(2 * start..<2 * end, into: UnsafeMutableRawBufferPointer(part))
      if let largest = largestToken(of: UnsafeBufferPointer(part)), Int(largest) >= vocabulary {
        throw firstUnknown(of: part, from: start)
      }
      start = end
    }
  }

  private func firstUnknown(
    of tokens: UnsafeMutableBufferPointer<Token>, from start: Int
  ) -> DataError {
    let values = tokens.lazy.map { Token(littleEndian: $0) }
    let index = values.firstIndex { Int($0) >= vocabulary } ?? 0
    return unknown(values[index], at: 2 * (start + index))
  }
}
