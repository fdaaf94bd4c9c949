import Kernels

/// One kernel described once: how to run it, what it means in Float64, and its backward pass.
struct KernelCase: Sendable, CustomStringConvertible {
  typealias Forward = @Sendable (_ inputs: [Matrix], _ arena: Arena) -> Matrix
  typealias Reference = @Sendable (_ inputs: [Numbers]) -> Numbers
  typealias Backward =
    @Sendable (_ inputs: [Matrix], _ output: Matrix, _ dOutput: Matrix, _ arena: Arena) -> [Matrix]

  let description: String
  let inputs: [Shape]
  let forward: Forward
  let reference: Reference
  /// One gradient an input.
  let backward: Backward
  var tolerance = 2e-5
}

struct Shape: Sendable {
  let rows: Int
  let columns: Int

  init(_ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// A matrix in Float64, for references.
struct Numbers: Sendable {
  let rows: Int
  let columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
    values = Array(repeating: 0, count: rows * columns)
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  func matrix(_ arena: Arena) -> Matrix {
    let result = arena.matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns { result[row, column] = Float(self[row, column]) }
    }
    return result
  }

  /// Numbers a Float32 holds exactly, in about -2...2.
  static func random(_ shape: Shape, _ random: inout SeededRandom) -> Numbers {
    var result = Numbers(shape.rows, shape.columns)
    for index in result.values.indices { result.values[index] = random.next() }
    return result
  }
}

extension Numbers {
  init(_ matrix: Matrix) {
    self.init(matrix.rows, matrix.columns)
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] = Double(matrix[row, column]) }
    }
  }
}

struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int32(truncatingIfNeeded: state >> 40)) / Double(1 << 22) - 2
  }
}
