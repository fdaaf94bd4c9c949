package import Kernels

/// How training windows follow one another.
public enum WindowOrder: String, Sendable, Hashable, CaseIterable, Codable {
  /// Starts drawn uniformly from the training part, by seed.
  case shuffled
  /// One window after the other, from the first byte, and round again.
  case file
}

/// Cuts a corpus into a training part and a held-out part and draws windows from both.
///
/// The training part is the first floor((1 - evalFraction) length) tokens. A window has T + 1 of them:
/// T inputs, each with the token after it as its target. Everything is a pure function of the
/// window's number, so a resumed run needs no state from here.
package struct WindowSource: Sendable {
  package let corpus: Corpus
  /// n, the tokens of the training part.
  package let trainingCount: Int
  /// T.
  package let context: Int
  package let order: WindowOrder
  package let seed: UInt64
  /// Of the training windows alone: what is held out, and what is probed, is as it was written.
  package let corruption: Corruption?

  /// Tokens of a window.
  package var windowCount: Int { context + 1 }

  /// `evalFraction` is the share held out, from 0 (nothing) to below 1.
  /// - Throws: `tooShort` when either part has not one window.
  package init(
    corpus: Corpus, evalFraction: Double = 0.05, context: Int, order: WindowOrder, seed: UInt64,
    corruption: Corruption? = nil
  ) throws(DataError) {
    precondition(context > 0, "context \(context)")
    precondition((0..<1).contains(evalFraction), "an evaluation fraction of \(evalFraction)")
    self.corpus = corpus
    self.context = context
    self.order = order
    self.seed = seed
    self.corruption = corruption
    trainingCount = Self.trainingCount(of: corpus.count, evalFraction: evalFraction)
    guard Self.fits(corpus.count, evalFraction: evalFraction, window: context + 1) else {
      throw .tooShort(
        path: corpus.name, bytes: corpus.count,
        needed: Self.shortestLength(evalFraction: evalFraction, window: context + 1),
        context: context, unit: corpus.unit)
    }
  }

  /// Where the window of this number starts, counted from the run's first one.
  func start(window: Int) -> Int {
    let starts = trainingCount - context
    switch order {
    case .file:
      return window * context % starts
    case .shuffled:
      let generator = CounterGenerator(seed: seed, stream: "training windows")
      return generator.number(below: starts, at: UInt64(window))
    }
  }

  /// Fills `rows` with as many windows as fit, from number `first` on.
  /// - Throws: What `Corpus.copy` throws.
  package func windows(
    from first: Int, into rows: UnsafeMutableBufferPointer<Token>
  ) throws(DataError) {
    for row in 0..<rows.count / windowCount {
      let start = start(window: first + row)
      let slice = rows.extracting((row * windowCount)..<((row + 1) * windowCount))
      try corpus.copy(start..<(start + windowCount), into: slice)
      corruption?.redraw(slice, window: first + row)
    }
  }

  /// Up to `windows` windows [windows, T + 1], evenly spread over the held-out part, always the
  /// same ones; fewer where the part has not as many that share no target, none where nothing is
  /// held out.
  /// - Throws: What `Corpus.copy` throws.
  package func heldOut(windows: Int = 32) throws(DataError) -> [Token] {
    let heldOutCount = corpus.count - trainingCount
    let count = min(windows, max(heldOutCount - 1, 0) / context)
    let room = heldOutCount - windowCount
    return try corpus.windows(
      startingAt: (0..<count).map { trainingCount + $0 * room / max(count - 1, 1) },
      count: windowCount)
  }

  /// A fixed batch [rows, T + 1] from the training part, drawn by the seed, in either order.
  /// - Throws: What `Corpus.copy` throws.
  package func probe(rows: Int) throws(DataError) -> [Token] {
    let generator = CounterGenerator(seed: seed, stream: "probe windows")
    let starts = trainingCount - context
    return try corpus.windows(
      startingAt: (0..<rows).map { generator.number(below: starts, at: UInt64($0)) },
      count: windowCount)
  }

  private static func trainingCount(of length: Int, evalFraction: Double) -> Int {
    Int(((1 - evalFraction) * Double(length)).rounded(.down))
  }

  private static func fits(_ length: Int, evalFraction: Double, window: Int) -> Bool {
    let training = trainingCount(of: length, evalFraction: evalFraction)
    return training >= window && (evalFraction == 0 || length - training >= window)
  }

  /// The least length whose parts both have a window.
  private static func shortestLength(evalFraction: Double, window: Int) -> Int {
    var low = window
    var high = window * 2
    while high < Int.max / 4 && !fits(high, evalFraction: evalFraction, window: window) {
      high *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if fits(middle, evalFraction: evalFraction, window: window) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low
  }
}

extension Corpus {
  /// The windows of `count` tokens at `starts`, one after the other.
  func windows(startingAt starts: [Int], count: Int) throws(DataError) -> [Token] {
    var tokens = [Token](repeating: 0, count: starts.count * count)
    var failure: DataError?
    tokens.withUnsafeMutableBufferPointer { buffer in
      do throws(DataError) {
        for (row, start) in starts.enumerated() {
          let slice = buffer.extracting((row * count)..<((row + 1) * count))
          try copy(start..<(start + count), into: slice)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return tokens
  }
}
