/// Windows of T+1 tokens, row after row: position t predicts token t+1.
///
/// They are copied once, so that every slice reads tokens that nobody can change or free meanwhile.
/// A row may come through a noisy channel; its losses are then those of what the channel makes of
/// the model.
package struct TokenRows: Sendable {
  private let tokens: Buffer<Token>
  /// [all rows], the probability with which a row's tokens were redrawn, 0 for a clean one.
  private let noise: Buffer<Float>
  private let firstRow: Int
  package let rows: Int
  package let positions: Int

  /// Room for `rows` windows, all of zeros.
  package init(rows: Int, positions: Int) {
    self.init(
      Buffer(count: rows * (positions + 1)), noise: Buffer(count: rows), firstRow: 0, rows: rows,
      positions: positions)
  }

  package init(
    _ source: UnsafeBufferPointer<Token>, rows: Int, positions: Int, noise: [Float] = []
  ) {
    self.init(rows: rows, positions: positions)
    fill(from: source, noise: noise)
  }

  private var first: Int { firstRow &* (positions &+ 1) }

  /// Takes other windows into the same memory, between two passes over it.
  /// - Parameters: `noise` [rows] of the channel each comes through; empty where all are clean
  package func fill(from source: UnsafeBufferPointer<Token>, noise: [Float] = []) {
    let count = rows * (positions + 1)
    precondition(
      source.count >= count, "\(source.count) tokens for \(rows) windows of \(positions + 1)")
    precondition([0, rows].contains(noise.count), "noise of \(noise.count) of \(rows) windows")
    if let base = source.baseAddress { (tokens.base + first).update(from: base, count: count) }
    for row in 0..<rows { self.noise[firstRow + row] = noise.isEmpty ? 0 : noise[row] }
  }

  private init(
    _ tokens: Buffer<Token>, noise: Buffer<Float>, firstRow: Int, rows: Int, positions: Int
  ) {
    self.tokens = tokens
    self.noise = noise
    self.firstRow = firstRow
    self.rows = rows
    self.positions = positions
  }

  package func rows(from start: Int, count: Int) -> TokenRows {
    assert(start >= 0 && start + count <= rows)
    return TokenRows(
      tokens, noise: noise, firstRow: firstRow + start, rows: count, positions: positions)
  }

  /// The channel that the position of this row of activations comes through.
  @inline(__always)
  func channel(at index: Int) -> NoisyChannel {
    NoisyChannel(noise: noise.base[firstRow &+ index / positions])
  }

  /// Calls `body` with each position's row of activations, its token and the one it predicts.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ token: Int, _ target: Int) -> Void) {
    for row in 0..<rows {
      let window = tokens.base + (first &+ row &* (positions &+ 1))
      for position in 0..<positions {
        body(
          row &* positions &+ position, Int(window[position]), Int(window[position &+ 1]))
      }
    }
  }
}
