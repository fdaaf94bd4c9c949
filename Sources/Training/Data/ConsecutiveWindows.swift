/// A whole corpus as windows that share no target: window i covers bytes iT to iT + T, so every
/// byte but the first is predicted once; a last partial window is left out.
package struct ConsecutiveWindows: Sendable {
  package let corpus: Corpus
  /// T.
  package let context: Int
  package let count: Int

  /// Bytes of a window.
  package var windowCount: Int { context + 1 }
  /// Targets of all windows.
  package var targets: Int { count * context }

  /// - Throws: `tooShort` when the corpus has not one window.
  package init(corpus: Corpus, context: Int) throws(DataError) {
    precondition(context > 0, "a context of \(context)")
    guard corpus.count > context else {
      throw .tooShort(
        path: corpus.name, bytes: corpus.count, needed: context + 1, context: context)
    }
    self.corpus = corpus
    self.context = context
    count = (corpus.count - 1) / context
  }

  /// The windows numbered `range`, [windows, T + 1] row-major.
  /// - Throws: What `Corpus.copy` throws.
  package func bytes(of range: Range<Int>) throws(DataError) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) windows")
    return try corpus.windows(startingAt: range.map { $0 * context }, count: windowCount)
  }
}
