import Formats
import Sessions
import Telemetry

/// Steps without end with the statistics of a recording.
struct TiledRecording {
  let names: [MetricName]
  private let columns: [[Double]]
  private let isSingle: [Bool]
  private let gaps: [Double]
  private var wallTime: Double
  private var random = SystemRandomNumberGenerator()

  /// Neighbours of which a difference is taken lie so near that a quiet stretch stays quiet.
  private static let neighbourhood = 16

  /// Takes the first metrics that the recording has at each of its steps.
  init(_ recording: RecordedRun, metrics: Int) throws {
    guard let generation = recording.generations.first,
      let clock = generation.wallTimes.values.first, generation.wallTimes.values.count > 64
    else { throw Failure(.badInput, "the recording to tile has fewer than 64 steps") }
    let times = generation.wallTimes.values
    let whole = generation.columns.filter { $0.values.count == times.count }.prefix(metrics)
    guard whole.count == metrics else {
      throw Failure(
        .badInput, "the recording to tile has \(whole.count) metrics at each step, not \(metrics)")
    }
    names = whole.map(\.name)
    columns = whole.map(\.values)
    isSingle = columns.map { $0.allSatisfy { Double(Float($0)) == $0 || !$0.isFinite } }
    gaps = zip(times, times.dropFirst()).map { min(max($1 - $0, 0), 1) }
    wallTime = clock
  }

  mutating func next(step: Int) -> StepSamples {
    let length = columns[0].count
    let place = step % (2 * length)
    let index = place < length ? place : 2 * length - 1 - place
    let shift = Int.random(in: -Self.neighbourhood...Self.neighbourhood, using: &random)
    let other = min(max(index + shift, 0), length - 2)
    wallTime += gaps[min(other, gaps.count - 1)]
    let values = columns.indices.map { metric in
      let column = columns[metric]
      let moved = column[index] + (column[other + 1] - column[other])
      guard moved.isFinite, moved.sign == column[index].sign else { return column[index] }
      return isSingle[metric] ? Double(Float(moved)) : moved
    }
    return StepSamples(step: step, wallTime: wallTime, names: names, values: values)
  }
}
