package import Kernels

/// A corpus from one of its bytes on, or up to another one, as windows that share no target: window i covers bytes iT to
/// iT + T from there, so every byte but the first is predicted once; a last partial window is left
/// out.
package struct ConsecutiveWindows: Sendable {
  package let corpus: Corpus
  /// T.
  package let context: Int
  package let count: Int
  private let start: Int

  /// Bytes of a window.
  package var windowCount: Int { context + 1 }
  /// Targets of all windows.
  package var targets: Int { count * context }

  /// - Throws: `tooShort` when there is not one window.
  package init(
    corpus: Corpus, from start: Int = 0, to end: Int? = nil, context: Int
  ) throws(DataError) {
    precondition(context > 0, "a context of \(context)")
    let bytes = (end ?? corpus.count) - start
    guard bytes > context else {
      throw .tooShort(
        path: corpus.name, bytes: bytes, needed: context + 1, context: context, unit: corpus.unit)
    }
    self.corpus = corpus
    self.context = context
    self.start = start
    count = (bytes - 1) / context
  }

  /// The first half of the windows and the second; nil where there is one alone.
  package func halves() throws(DataError) -> (
    first: ConsecutiveWindows, second: ConsecutiveWindows
  )? {
    guard count > 1 else { return nil }
    let middle = start + count / 2 * context
    return (
      try ConsecutiveWindows(corpus: corpus, from: start, to: middle + 1, context: context),
      try ConsecutiveWindows(
        corpus: corpus, from: middle, to: start + count * context + 1, context: context)
    )
  }

  /// The windows numbered `range`, [windows, T + 1] row-major.
  /// - Throws: What `Corpus.copy` throws.
  package func tokens(of range: Range<Int>) throws(DataError) -> [Token] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) windows")
    return try corpus.windows(startingAt: range.map { start + $0 * context }, count: windowCount)
  }
}
