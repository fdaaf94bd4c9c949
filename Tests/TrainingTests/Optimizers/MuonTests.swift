import Foundation
import Kernels
import Models
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct MuonTests {
  private static let model = ModelConfiguration(
    width: 24, layers: 1, heads: 2, context: 4,
    experts: ExpertConfiguration(count: 2, width: 48, active: 1))
  private let layout = ParameterLayout(Self.model)

  private func optimizer(_ kind: OptimizerKind = .muon) -> Optimizer {
    Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: kind)
  }

  private func gaussian(seed: UInt64, scale: Double = 1) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    var random = RandomStream(seed: seed)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        buffer[index] = Float(random.normal() * scale)
      }
    }
    return buffer
  }

  private var rates: Optimizer.Rates {
    var rates = Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.01)
    rates.weightDecay = 0
    rates.gradClip = 0
    return rates
  }

  /// The first update of `tensor` over the rate, from zero momentum and zero parameters.
  private func update(_ name: String, gradient: FloatBuffer) throws -> [[Double]] {
    let tensor = try #require(layout[name])
    let parameters = FloatBuffer(count: layout.count)
    _ = optimizer().update(
      parameters: parameters, sliceGradients: [gradient], updates: 0, rates: rates)
    return (0..<tensor.shape[0]).map { row in
      (0..<tensor.shape[1]).map { column in
        Double(parameters[tensor.offset + row * tensor.shape[1] + column]) / -0.01
      }
    }
  }

  @Test(arguments: ["up", "down"])
  func `singular values come out near one, whichever side is longer`(part: String) throws {
    let name = "model.layers.0.mlp.experts.1.\(part).weight"
    let scaled = try update(name, gradient: gaussian(seed: 3, scale: 7))
    let scale = 0.2 * Double(48).squareRoot()
    let matrix = scaled.map { $0.map { $0 / scale } }
    let values = singularSquares(matrix).map { $0.squareRoot() }
    #expect(values.count == 24)
    #expect(values.allSatisfy { $0 > 0.6 && $0 < 1.25 }, "\(values)")
  }

  @Test func `the update is the reference's, computed in double precision`() throws {
    let name = "model.layers.0.self_attn.dense.weight"
    let tensor = try #require(layout[name])
    let gradient = gaussian(seed: 4)
    let found = try update(name, gradient: gradient)
    let matrix = (0..<24).map { row in
      (0..<24).map { Double(gradient[tensor.offset + row * 24 + $0]) }
    }
    let expected = newtonSchulz(matrix)
    let scale = 0.2 * Double(24).squareRoot()
    for row in 0..<24 {
      for column in 0..<24 {
        #expect(abs(found[row][column] - scale * expected[row][column]) < 1e-4)
      }
    }
  }

  @Test func `queries, keys and values are three matrices of all heads`() throws {
    let name = "model.layers.0.self_attn.query_key_value.weight"
    let tensor = try #require(layout[name])
    let gradient = gaussian(seed: 5)
    let found = try update(name, gradient: gradient)
    let scale = 0.2 * Double(24).squareRoot()
    for part in 0..<3 {
      let rows = (0..<24).map { $0 / 12 * 36 + part * 12 + $0 % 12 }
      let expected = newtonSchulz(
        rows.map { row in (0..<24).map { Double(gradient[tensor.offset + row * 24 + $0]) } })
      for (index, row) in rows.enumerated() {
        for column in 0..<24 {
          #expect(abs(found[row][column] - scale * expected[index][column]) < 1e-4)
        }
      }
    }
  }

  @Test func `hidden matrices have an update of AdamW's size, all else has AdamW's`() {
    let (muon, adam) = (optimizer(), optimizer(.adamW))
    let (parameters, reference) = (gaussian(seed: 6), gaussian(seed: 6))
    let update = muon.update(
      parameters: parameters, sliceGradients: [gaussian(seed: 7)], updates: 0, rates: rates)
    _ = adam.update(
      parameters: reference, sliceGradients: [gaussian(seed: 7)], updates: 0, rates: rates)
    for (index, tensor) in layout.tensors.enumerated() {
      let range = tensor.offset..<tensor.offset + tensor.count
      if tensor.role.isHiddenMatrix {
        let size = update.updateRMS[index] / 0.01
        #expect(size > 0.15 && size < 0.25, "\(tensor.name) \(size)")
        #expect(range.allSatisfy { muon.secondMoments[$0] == 0 })
      } else {
        #expect(range.allSatisfy { parameters[$0] == reference[$0] }, "\(tensor.name)")
      }
    }
  }

  @Test func `momentum looks ahead and decay uses the unscaled rate`() throws {
    let tensor = try #require(layout["model.layers.0.self_attn.dense.weight"])
    let muon = optimizer()
    let parameters = gaussian(seed: 8)
    let before = parameters[tensor.offset]
    var rates = rates
    rates.weightDecay = 0.5
    rates.decayIsCoupled = true
    _ = muon.update(
      parameters: parameters, sliceGradients: [FloatBuffer(count: layout.count)], updates: 0,
      rates: rates)
    #expect(abs(parameters[tensor.offset] - before * (1 - 0.005)) < 1e-6)
    let gradient = gaussian(seed: 9)
    let first = gradient[tensor.offset]
    for updates in 1...2 {
      _ = muon.update(
        parameters: parameters, sliceGradients: [gradient], updates: updates, rates: rates)
    }
    #expect(abs(muon.firstMoments[tensor.offset] - first * 1.95) < 1e-5)
  }
}

/// Jordan's five steps, row after row.
private func newtonSchulz(_ gradient: [[Double]]) -> [[Double]] {
  let norm = gradient.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
  var x = gradient.map { $0.map { $0 / (norm + 1e-7) } }
  for _ in 0..<5 {
    let a = product(x, transposed(x))
    let square = product(a, a)
    let b = zip(a, square).map { zip($0, $1).map { -4.775 * $0 + 2.0315 * $1 } }
    x = zip(x, product(b, x)).map { zip($0, $1).map { 3.4445 * $0 + $1 } }
  }
  return x
}

private func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
  let columns = transposed(b)
  return a.map { row in columns.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
}

private func transposed(_ a: [[Double]]) -> [[Double]] {
  a[0].indices.map { column in a.map { $0[column] } }
}

/// The squares of the singular values, by Jacobi rotations of the smaller Gram matrix.
private func singularSquares(_ matrix: [[Double]]) -> [Double] {
  let isWide = matrix.count <= matrix[0].count
  var gram =
    isWide
    ? product(matrix, transposed(matrix)) : product(transposed(matrix), matrix)
  let side = gram.count
  for _ in 0..<30 {
    for p in 0..<side {
      for q in p + 1..<side where abs(gram[p][q]) > 1e-14 { rotate(&gram, p, q) }
    }
  }
  return (0..<side).map { gram[$0][$0] }
}

private func rotate(_ a: inout [[Double]], _ p: Int, _ q: Int) {
  let angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p])
  let (c, s) = (cos(angle), sin(angle))
  for k in a.indices { (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]) }
  for k in a.indices { (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]) }
}
