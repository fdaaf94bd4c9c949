import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct PackedMatrixTests {
  @Test(arguments: [1, 2, 3, 4, 5, 7, 13])
  func `a packed product has the bits of the one that packs`(rows: Int) {
    let arena = Arena()
    var random = SystemRandomNumberGenerator()
    let filled = { (rows: Int, columns: Int) in
      let matrix = arena.matrix(rows: rows, columns: columns)
      for row in 0..<rows {
        for column in 0..<columns { matrix[row, column] = .random(in: -1...1, using: &random) }
      }
      return matrix
    }
    for (columns, depth) in [(1, 1), (15, 9), (16, 8), (33, 40), (64, 257), (100, 600)] {
      let (a, b, start) = (filled(rows, depth), filled(columns, depth), filled(rows, columns))
      let packed = PackedMatrix(rows: columns, columns: depth, arena: arena)
      packed.fill(from: b)
      for adding in [false, true] {
        let (judge, result) = (filled(rows, columns), filled(rows, columns))
        for row in 0..<rows {
          for column in 0..<columns {
            judge[row, column] = start[row, column]
            result[row, column] = start[row, column]
          }
        }
        multiply(a, transposed: b, into: judge, adding: adding)
        multiply(a, packed: packed, into: result, adding: adding)
        #expect(result.values == judge.values, "\(rows) \(columns) \(depth) \(adding)")
      }
    }
  }

  @Test func `some strips are written and no others`() {
    let arena = Arena()
    let (a, b) = (arena.matrix(rows: 2, columns: 3), arena.matrix(rows: 70, columns: 3))
    for column in 0..<3 { (a[0, column], a[1, column]) = (1, 2) }
    for row in 0..<70 { b[row, 0] = Float(row) }
    let packed = PackedMatrix(rows: 70, columns: 3, arena: arena)
    packed.fill(from: b)
    let c = arena.matrix(rows: 2, columns: 70)
    multiply(a, packed: packed, into: c, strips: 1..<5)
    #expect(c.strips == 5)
    let second = c.rows(from: 1, count: 1).values
    #expect(second == (0..<70).map { $0 < 16 ? 0 : Float(2 * $0) })
  }
}
