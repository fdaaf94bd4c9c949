import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct MatrixMultiplyTests {
  @Test(arguments: ProductSizes.rows)
  func `every form of the product is the library's, at every border`(rows: Int) {
    for columns in ProductSizes.columns {
      for depth in ProductSizes.depths { compare(rows, columns, depth) }
    }
  }

  @Test
  func `a wide factor read by columns is the library's too`() {
    compare(300, 260, 300, padding: 16)
  }

  @Test
  func `a row's bits do not depend on how many rows there are`() {
    let arena = Arena()
    let (a, b) = (random(arena, 23, 40, seed: 1), random(arena, 24, 40, seed: 2))
    let all = arena.matrix(rows: 23, columns: 24)
    multiply(a, transposed: b, into: all)
    for row in 0..<23 {
      let one = arena.matrix(rows: 1, columns: 24)
      multiply(a.rows(from: row, count: 1), transposed: b, into: one)
      #expect(one.values == all.rows(from: row, count: 1).values)
    }
  }

  @Test
  func `no depth gives zeros, or adds none`() {
    let arena = Arena()
    let c = random(arena, 3, 5, seed: 3)
    let kept = c.values
    let empty = arena.matrix(rows: 0, columns: 3)
    multiply(transposed: empty, arena.matrix(rows: 0, columns: 5), into: c, adding: true)
    #expect(c.values == kept)
    multiply(transposed: empty, arena.matrix(rows: 0, columns: 5), into: c)
    #expect(c.values.allSatisfy { $0 == 0 })
  }

  private func compare(_ rows: Int, _ columns: Int, _ depth: Int, padding: Int = 0) {
    let arena = Arena()
    let wide = { (rows: Int, columns: Int, seed: UInt64) in
      random(arena, rows, columns + padding, seed: seed).columns(from: 0, count: columns)
    }
    let (a, b) = (wide(rows, depth, 1), wide(columns, depth, 2))
    let (aTurned, bTurned) = (turned(a, arena, padding), turned(b, arena, padding))
    let judge = arena.matrix(rows: rows, columns: columns)
    blasMultiply(a, transposed: b, into: judge)
    let products: [(Matrix, Bool) -> Void] = [
      { multiply(a, transposed: b, into: $0, adding: $1) },
      { multiply(a, bTurned, into: $0, adding: $1) },
      { multiply(transposed: aTurned, bTurned, into: $0, adding: $1) },
    ]
    let tolerance = 1e-6 * Float(depth) + 1e-5
    for product in products {
      let plain = wide(rows, columns, 3)
      let before = plain.values
      product(plain, true)
      let sums = zip(zip(plain.values, before), judge.values)
      #expect(sums.allSatisfy { abs($0.0 - $0.1 - $1) < tolerance }, "\(rows) \(columns) \(depth)")
      product(plain, false)
      let pairs = zip(plain.values, judge.values)
      #expect(pairs.allSatisfy { abs($0 - $1) < tolerance }, "\(rows) \(columns) \(depth)")
    }
  }

  private func random(_ arena: Arena, _ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
    var random = SeededRandom(seed: seed)
    return Numbers.random(Shape(rows, columns), &random).matrix(arena)
  }

  private func turned(_ matrix: Matrix, _ arena: Arena, _ padding: Int) -> Matrix {
    let result = arena.matrix(rows: matrix.columns, columns: matrix.rows + padding)
      .columns(from: 0, count: matrix.rows)
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns { result[column, row] = matrix[row, column] }
    }
    return result
  }
}
