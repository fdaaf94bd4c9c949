import Formats
import Kernels

/// How far the updates of a tensor, a layer or a model agree, and what a method kept of them.
package struct UpdateAgreement: Sendable, Equatable {
  package let name: String
  /// Numbers.
  package let count: Int
  /// Of those that two parts or more changed, the share that all of these moved the same way; NaN
  /// where there are none.
  package let signs: Double
  /// Of the angle between two updates, mean over the pairs; NaN where no two parts moved.
  package let cosine: Double
  /// ‖τᵢ‖/‖θ₀‖ by part.
  package let distances: [Double]
  /// The same of the merged update.
  package let distance: Double
  /// The share of the numbers that a part has a say in, by part.
  package let kept: [Double]
  /// Mean weight of a part's numbers, by part.
  package let weights: [Double]

  package var json: String {
    func list(_ values: [Double]) -> String {
      "[\(values.map { JSONLines.number($0) }.joined(separator: ","))]"
    }
    return JSONLines.object([
      ("name", JSONLines.quoted(name)), ("count", "\(count)"),
      ("signs", JSONLines.number(signs)), ("cosine", JSONLines.number(cosine)),
      ("distances", list(distances)), ("distance", JSONLines.number(distance)),
      ("kept", list(kept)), ("weights", list(weights)),
    ])
  }
}

/// The sums from which the agreement follows, over the numbers of a piece, a tensor or more.
struct AgreementSums: Sendable {
  private let parts: Int
  /// Σ τᵢ·τⱼ for i, j, then by part the kept ones and the weights, then the rest.
  private(set) var numbers: [Double]

  private enum Rest: Int, CaseIterable { case count, moved, agreed, merged, start }

  init(parts: Int) {
    let width = parts * parts + 2 * parts + Rest.allCases.count
    self.init(parts: parts, numbers: [Double](repeating: 0, count: width))
  }

  init(parts: Int, numbers: [Double]) { (self.parts, self.numbers) = (parts, numbers) }

  static func += (sum: inout AgreementSums, part: AgreementSums) {
    for index in sum.numbers.indices { sum.numbers[index] += part.numbers[index] }
  }

  private func product(_ one: Int, _ other: Int) -> Int { one * parts + other }
  private func kept(_ part: Int) -> Int { parts * parts + part }
  private func weight(_ part: Int) -> Int { parts * parts + parts + part }
  private func place(_ rest: Rest) -> Int { parts * parts + 2 * parts + rest.rawValue }

  /// Takes one range of a chunk's numbers in; `merged` is the merged model.
  mutating func add(
    _ chunk: UpdateChunk, _ range: Range<Int>, _ shares: MergeShares, merged: FloatBuffer
  ) {
    numbers[place(.count)] += Double(range.count)
    for one in 0..<parts {
      for other in one..<parts {
        numbers[product(one, other)] += dot(chunk.updates[one], chunk.updates[other], range)
      }
      let weights = shares.weights[one]
      var (kept, sum) = (0, 0.0)
      for index in range {
        if weights[index] > 0 { kept += 1 }
        sum += Double(weights[index])
      }
      numbers[self.kept(one)] += Double(kept)
      numbers[weight(one)] += sum
    }
    addSigns(chunk, range)
    addSquares(chunk.start, merged, range)
  }

  private mutating func addSigns(_ chunk: UpdateChunk, _ range: Range<Int>) {
    var (moved, agreed) = (0, 0)
    for index in range {
      var (up, down) = (0, 0)
      for update in chunk.updates {
        if update[index] > 0 { up += 1 }
        if update[index] < 0 { down += 1 }
      }
      guard up + down > 1 else { continue }
      moved += 1
      if up == 0 || down == 0 { agreed += 1 }
    }
    numbers[place(.moved)] += Double(moved)
    numbers[place(.agreed)] += Double(agreed)
  }

  private mutating func addSquares(_ start: FloatBuffer, _ merged: FloatBuffer, _ range: Range<Int>)
  {
    var (squares, changes) = (0.0, 0.0)
    for index in range {
      let (from, to) = (Double(start[index]), Double(merged[index]))
      squares += from * from
      changes += (to - from) * (to - from)
    }
    numbers[place(.start)] += squares
    numbers[place(.merged)] += changes
  }

  private func dot(_ a: FloatBuffer, _ b: FloatBuffer, _ range: Range<Int>) -> Double {
    var sum = 0.0
    for index in range { sum += Double(a[index]) * Double(b[index]) }
    return sum
  }

  func agreement(named name: String) -> UpdateAgreement {
    let (start, count) = (numbers[place(.start)], numbers[place(.count)])
    func shares(_ place: (Int) -> Int) -> [Double] {
      (0..<parts).map { numbers[place($0)] / count }
    }
    return UpdateAgreement(
      name: name, count: Int(count), signs: numbers[place(.agreed)] / numbers[place(.moved)],
      cosine: cosine,
      distances: (0..<parts).map { (numbers[product($0, $0)] / start).squareRoot() },
      distance: (numbers[place(.merged)] / start).squareRoot(), kept: shares(kept),
      weights: shares(weight))
  }

  private var cosine: Double {
    var (sum, pairs) = (0.0, 0)
    for one in 0..<parts {
      for other in (one + 1)..<parts {
        let squares = numbers[product(one, one)] * numbers[product(other, other)]
        guard squares > 0 else { continue }
        sum += numbers[product(one, other)] / squares.squareRoot()
        pairs += 1
      }
    }
    return pairs > 0 ? sum / Double(pairs) : .nan
  }
}
