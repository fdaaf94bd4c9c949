package import Models

/// The sampler's speed over how many texts it writes side by side and on how many cores.
package struct SamplingLandscape: Sendable {
  package struct Point: Sendable, Equatable {
    package let batch: Int
    package let workers: Int
    package let bytesPerSecond: Double

    package init(batch: Int, workers: Int, bytesPerSecond: Double) {
      (self.batch, self.workers) = (batch, workers)
      self.bytesPerSecond = bytesPerSecond
    }
  }

  /// Steps to the next larger batch or number of workers.
  package struct Irregularity: Sendable, Equatable {
    package let steps: Int
    /// Those that are slower for it.
    package let backward: Int
    /// The most that one of them loses, as a share.
    package let worst: Double
    /// Points that are faster than all beside them.
    package let peaks: Int
  }

  /// By workers, then by batch.
  package let points: [Point]

  private static let promptBytes = 16
  private static let tokens = 64
  private static let tries = 3

  package init(points: [Point]) { self.points = points }

  /// Measures each setting: the median of a few tries of a short text.
  package init(_ model: ModelConfiguration, batches: [Int], workers: [Int]) {
    points = workers.flatMap { workers in
      let engine = model.randomInferenceEngine(workers: workers)
      return batches.map { batch in
        Point(
          batch: batch, workers: workers, bytesPerSecond: Self.pace(engine, batch: batch))
      }
    }
  }

  private static func pace(_ engine: InferenceEngine, batch: Int) -> Double {
    let room = max(1, engine.configuration.context - promptBytes)
    var sampling = Sampling(timing: promptBytes, of: engine.configuration)
    sampling.tokens = min(tokens, room)
    sampling.mostTexts = batch
    let paces = (0..<tries).map { _ in
      sampling.write(batch, engine: engine) { _, _ in }.tokensPerSecond
    }
    return paces.sorted()[tries / 2]
  }

  package var best: Point? { points.max { $0.bytesPerSecond < $1.bytesPerSecond } }

  package var irregularity: Irregularity {
    var (steps, backward, worst) = (0, 0, 0.0)
    for (first, next) in points.flatMap({ point in
      neighbours(of: point, onwards: true).map { (point, $0) }
    }) {
      steps += 1
      guard next.bytesPerSecond < first.bytesPerSecond else { continue }
      backward += 1
      worst = max(worst, 1 - next.bytesPerSecond / first.bytesPerSecond)
    }
    let peaks = points.count { point in
      neighbours(of: point, onwards: false).allSatisfy { $0.bytesPerSecond < point.bytesPerSecond }
    }
    return Irregularity(steps: steps, backward: backward, worst: worst, peaks: peaks)
  }

  /// The next ones in either direction of the grid.
  private func neighbours(of point: Point, onwards: Bool) -> [Point] {
    func beside(_ values: [Int], _ value: Int) -> [Int] {
      let sorted = Set(values).sorted()
      guard let place = sorted.firstIndex(of: value) else { return [] }
      return (onwards ? [place + 1] : [place - 1, place + 1]).filter(sorted.indices.contains)
        .map { sorted[$0] }
    }
    let (batches, workers) = (
      beside(points.map(\.batch), point.batch), beside(points.map(\.workers), point.workers)
    )
    return points.filter {
      ($0.workers == point.workers && batches.contains($0.batch))
        || ($0.batch == point.batch && workers.contains($0.workers))
    }
  }
}
