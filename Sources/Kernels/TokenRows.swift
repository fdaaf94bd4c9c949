/// Windows of T+1 bytes, row after row: position t predicts byte t+1.
///
/// They are copied once, so that every slice reads bytes that nobody can change or free meanwhile.
package struct TokenRows: Sendable {
  private let bytes: Buffer<UInt8>
  private let first: Int
  package let rows: Int
  package let positions: Int

  /// Room for `rows` windows, all of zeros.
  package init(rows: Int, positions: Int) {
    self.init(
      Buffer(count: rows * (positions + 1)), first: 0, rows: rows, positions: positions)
  }

  package init(_ source: UnsafeBufferPointer<UInt8>, rows: Int, positions: Int) {
    self.init(rows: rows, positions: positions)
    fill(from: source)
  }

  /// Takes other windows into the same memory, between two passes over it.
  package func fill(from source: UnsafeBufferPointer<UInt8>) {
    let count = rows * (positions + 1)
    precondition(
      source.count >= count, "\(source.count) bytes for \(rows) windows of \(positions + 1)")
    if let base = source.baseAddress { (bytes.base + first).update(from: base, count: count) }
  }

  private init(_ bytes: Buffer<UInt8>, first: Int, rows: Int, positions: Int) {
    self.bytes = bytes
    self.first = first
    self.rows = rows
    self.positions = positions
  }

  package func rows(from start: Int, count: Int) -> TokenRows {
    assert(start >= 0 && start + count <= rows)
    return TokenRows(
      bytes, first: first + start * (positions + 1), rows: count, positions: positions)
  }

  /// Calls `body` with each position's row of activations, its token and the one it predicts.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ token: Int, _ target: Int) -> Void) {
    for row in 0..<rows {
      let window = bytes.base + (first &+ row &* (positions &+ 1))
      for position in 0..<positions {
        body(
          row &* positions &+ position, Int(window[position]), Int(window[position &+ 1]))
      }
    }
  }
}
