/// Windows of T+1 bytes, row after row: position t predicts byte t+1.
///
/// Sendable because nothing writes the bytes while a step reads them; they are the caller's, who
/// keeps them alive until the call returns.
package struct TokenRows: @unchecked Sendable {
  private let base: UnsafePointer<UInt8>?
  package let rows: Int
  package let positions: Int

  package init(_ bytes: UnsafeBufferPointer<UInt8>, rows: Int, positions: Int) {
    precondition(
      bytes.count >= rows * (positions + 1),
      "\(bytes.count) bytes for \(rows) windows of \(positions + 1)")
    self.init(base: bytes.baseAddress, rows: rows, positions: positions)
  }

  private init(base: UnsafePointer<UInt8>?, rows: Int, positions: Int) {
    self.base = base
    self.rows = rows
    self.positions = positions
  }

  package func rows(from start: Int, count: Int) -> TokenRows {
    assert(start >= 0 && start + count <= rows)
    let first = base.map { $0 + start * (positions + 1) }
    return TokenRows(base: first, rows: count, positions: positions)
  }

  /// Calls `body` with each position's row of activations, its token and the one it predicts.
  @inline(__always)
  func forEach(_ body: (_ index: Int, _ token: Int, _ target: Int) -> Void) {
    guard let base else { return }
    for row in 0..<rows {
      let window = base + row &* (positions &+ 1)
      for position in 0..<positions {
        body(
          row &* positions &+ position, Int(window[position]), Int(window[position &+ 1]))
      }
    }
  }
}
