import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SparseProductTests {
  /// A weight [rows, columns] of which each block is there with a probability; the others are 0.
  private struct Case {
    let arena = Arena()
    let rows: Int
    let columns: Int
    let blocks: BlockPattern
    let weight: Matrix
    private let grid: BlockGrid
    private let mask: FloatBuffer

    init(_ rows: Int, _ columns: Int, density: Double, seed: UInt64) {
      (self.rows, self.columns) = (rows, columns)
      var random = SeededRandom(seed: seed)
      grid = BlockGrid(offset: 0, rows: rows, columns: columns)
      // The masks of a model stand one behind the other.
      mask = FloatBuffer(count: grid.count + 3)
      for block in 0..<grid.count {
        mask[3 + block] = (random.next() + 2) / 4 < density ? 1 : 0
      }
      blocks = BlockPattern(grid, mask: mask, from: 3)
      weight = Numbers.random(Shape(rows, columns), &random).matrix(arena)
      for row in 0..<rows {
        for column in 0..<columns where !isThere(row, column) { weight[row, column] = 0 }
      }
    }

    func isThere(_ row: Int, _ column: Int) -> Bool {
      mask[3 + row / 16 * grid.across + column / 16] == 1
    }

    func random(_ rows: Int, _ columns: Int, seed: UInt64, padding: Int = 0) -> Matrix {
      var random = SeededRandom(seed: seed)
      return Numbers.random(Shape(rows, columns + padding), &random).matrix(arena)
        .columns(from: 0, count: columns)
    }
  }

  private static let shapes = [(16, 16), (48, 32), (40, 64), (130, 272), (272, 130), (7, 20)]

  @Test(arguments: [0, 0.1, 0.5, 0.9, 1])
  func `it has the bits of the product of the masked matrix`(density: Double) {
    for (number, shape) in Self.shapes.enumerated() {
      let sparse = Case(shape.0, shape.1, density: density, seed: UInt64(number))
      for tokens in [1, 3, 7, 8, 13] {
        let x = sparse.random(tokens, sparse.columns, seed: 8, padding: 5)
        expectSame(tokens, sparse.rows, sparse) {
          multiply(x, transposed: sparse.weight, into: $0, adding: $1)
        } skipping: {
          multiply(x, transposed: sparse.weight, blocks: sparse.blocks, into: $0, adding: $1)
        }
        let dY = sparse.random(tokens, sparse.rows, seed: 9, padding: 5)
        expectSame(tokens, sparse.columns, sparse) {
          multiply(dY, sparse.weight, into: $0, adding: $1)
        } skipping: {
          multiply(dY, sparse.weight, blocks: sparse.blocks, into: $0, adding: $1)
        }
      }
    }
  }

  private func expectSame(
    _ rows: Int, _ columns: Int, _ sparse: Case, whole: (Matrix, Bool) -> Void,
    skipping: (Matrix, Bool) -> Void
  ) {
    for adding in [false, true] {
      let outputs = (0..<2).map { _ in sparse.random(rows, columns, seed: 3, padding: 2) }
      whole(outputs[0], adding)
      skipping(outputs[1], adding)
      let bits = outputs.map { $0.values.map(\.bitPattern) }
      #expect(bits[0] == bits[1], "\(rows) of [\(sparse.rows), \(sparse.columns)], \(adding)")
    }
  }

  /// 300 tokens are two blocks of depth; with a stride above 256 the left factor is packed.
  @Test(arguments: [0, 0.1, 0.5, 1], [0, 300])
  func `what is there of a gradient has the bits of the whole one, and the rest is left`(
    density: Double, padding: Int
  ) {
    for (number, shape) in Self.shapes.enumerated() {
      let sparse = Case(shape.0, shape.1, density: density, seed: UInt64(number))
      for tokens in [0, 1, 9, 300] {
        let dY = sparse.random(tokens, sparse.rows, seed: 8, padding: padding)
        let x = sparse.random(tokens, sparse.columns, seed: 9, padding: 5)
        for adding in [false, true] {
          let before = sparse.random(sparse.rows, sparse.columns, seed: 3)
          let (whole, part) = (
            sparse.arena.matrix(rows: sparse.rows, columns: sparse.columns),
            sparse.arena.matrix(rows: sparse.rows, columns: sparse.columns)
          )
          whole.copy(from: before)
          part.copy(from: before)
          multiply(transposed: dY, x, into: whole, adding: adding)
          multiply(transposed: dY, x, into: part, blocks: sparse.blocks, adding: adding)
          let isRight = (0..<sparse.rows * sparse.columns).allSatisfy { index in
            let (row, column) = (index / sparse.columns, index % sparse.columns)
            let judge = sparse.isThere(row, column) ? whole : before
            return part[row, column].bitPattern == judge[row, column].bitPattern
          }
          #expect(isRight, "\(tokens) of \(shape), adding \(adding)")
        }
      }
    }
  }

  /// A number too small to be one is a zero with a sign, which an added zero takes away.
  @Test func `a zero may differ by its sign where a product was too small`() {
    let sparse = Case(16, 32, density: 0, seed: 1)
    let mask = FloatBuffer(count: 2)
    mask[0] = 1
    let blocks = BlockPattern(
      BlockGrid(offset: 0, rows: 16, columns: 32), mask: mask, from: 0)
    sparse.weight[0, 15] = 1e-30
    let x = sparse.arena.matrix(rows: 1, columns: 32)
    x[0, 15] = -1e-30
    let outputs = (0..<2).map { _ in sparse.arena.matrix(rows: 1, columns: 16) }
    multiply(x, transposed: sparse.weight, into: outputs[0])
    multiply(x, transposed: sparse.weight, blocks: blocks, into: outputs[1])
    #expect(outputs[0].values == outputs[1].values && outputs[0][0, 0] == 0)
    #expect(outputs[1][0, 0].sign == .minus && outputs[0][0, 0].sign == .plus)
  }
}
