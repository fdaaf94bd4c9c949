import Formats
import Foundation
import Signals
import Training

/// The sampler's speed over its settings, as lines and as JSON.
struct LandscapeReport {
  let landscape: SamplingLandscape

  var lines: [String] {
    let workers = Set(landscape.points.map(\.workers)).sorted()
    let batches = Set(landscape.points.map(\.batch)).sorted()
    let head =
      "samples" + workers.map { String(format: "%9d %@", $0, $0 > 1 ? "cores" : "core ") }.joined()
    let rows = batches.map { batch in
      String(format: "%7d", batch)
        + workers.map { workers in
          let point = landscape.points.first { $0.batch == batch && $0.workers == workers }
          return String(format: "%15.0f", point?.bytesPerSecond ?? .nan)
        }.joined()
    }
    return ["bytes a second"] + [head] + rows + end
  }

  private var end: [String] {
    guard let best = landscape.best else { return [] }
    let uneven = landscape.irregularity
    return [
      "best: \(best.batch) samples on \(best.workers) cores, "
        + "\(NumberText.grouped(best.bytesPerSecond)) bytes a second",
      "\(uneven.backward) of \(uneven.steps) steps to more are slower, by "
        + String(format: "%.0f%%", 100 * uneven.worst) + " at most; \(uneven.peaks) peaks",
    ]
  }

  var json: String {
    let points = landscape.points.map(Self.json)
    let uneven = landscape.irregularity
    return JSONLines.object([
      ("points", "[\(points.joined(separator: ","))]"),
      ("best", landscape.best.map(Self.json) ?? "null"),
      ("steps", "\(uneven.steps)"), ("backward", "\(uneven.backward)"),
      ("worst", JSONLines.number(uneven.worst)), ("peaks", "\(uneven.peaks)"),
    ])
  }

  private static func json(_ point: SamplingLandscape.Point) -> String {
    JSONLines.object([
      ("batch", "\(point.batch)"), ("workers", "\(point.workers)"),
      ("bytes_per_s", JSONLines.number(point.bytesPerSecond)),
    ])
  }
}
