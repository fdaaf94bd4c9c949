import Kernels

/// The means of the classes that have enough samples.
struct ClassMeans {
  /// Their labels, ascending.
  let classes: [Int]
  /// The samples of those, each with its class's place.
  let members: [(sample: Int, place: Int)]
  /// M_c, by place.
  let centred: [[Double]]
  private let global: [Double]

  init(_ features: [Float], _ labels: [Int], width: Int, least: Int) {
    var counts: [Int: Int] = [:]
    for label in labels { counts[label, default: 0] += 1 }
    let classes = counts.filter { $0.value >= least }.map(\.key).sorted()
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    members = labels.enumerated().compactMap { sample, label in
      places[label].map { (sample, $0) }
    }
    var means = [[Double]](
      repeating: [Double](repeating: 0, count: width), count: classes.count)
    for (sample, place) in members {
      for column in 0..<width {
        means[place][column] += Double(features[sample * width + column])
      }
    }
    for (place, label) in classes.enumerated() {
      let count = Double(counts[label] ?? 1)
      means[place] = means[place].map { $0 / count }
    }
    let count = Double(max(classes.count, 1))
    let global = (0..<width).map { column in
      means.reduce(0) { $0 + $1[column] } / count
    }
    centred = means.map { mean in zip(mean, global).map { $0 - $1 } }
    (self.classes, self.global) = (classes, global)
  }

  private func sample(_ number: Int, _ features: [Float], _ width: Int) -> [Double] {
    (0..<width).map { Double(features[number * width + $0]) - global[$0] }
  }

  /// S_W, and each class's mean squared distance from its mean.
  func within(
    _ features: [Float], width: Int
  ) -> (scatter: SymmetricMatrix, variances: [Double]) {
    var scatter = SymmetricMatrix(size: width)
    var sums = [Double](repeating: 0, count: classes.count)
    var counts = sums
    for (number, place) in members {
      let own = sample(number, features, width)
      let deviation = zip(own, centred[place]).map { $0 - $1 }
      scatter.add(deviation, weight: 1 / Double(members.count))
      sums[place] += dot(deviation, deviation)
      counts[place] += 1
    }
    return (scatter, zip(sums, counts).map { $0 / $1 })
  }

  /// How often the head, whose rows are by place, chooses the nearest mean.
  func agreement(_ features: [Float], width: Int, head: [[Double]]) -> Double {
    // w·f = w·(f − μ_G) + w·μ_G; |f − μ_c|² is least where 2·M_c·(f − μ_G) − |M_c|² is largest.
    let offsets = head.map { dot($0, global) }
    let squares = centred.map { dot($0, $0) }
    var agreed = 0
    for (number, _) in members {
      let own = sample(number, features, width)
      let chosen = classes.indices.max { first, second in
        dot(head[first], own) + offsets[first] < dot(head[second], own) + offsets[second]
      }
      let nearest = classes.indices.max { first, second in
        2 * dot(centred[first], own) - squares[first]
          < 2 * dot(centred[second], own) - squares[second]
      }
      if chosen == nearest { agreed += 1 }
    }
    return Double(agreed) / Double(members.count)
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
