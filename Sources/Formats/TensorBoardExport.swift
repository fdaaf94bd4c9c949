import Foundation
import Telemetry

/// A run as a TensorBoard event file: `simple_value` for each sample, all of a step in one event.
///
/// Each generation after the first begins with a session log that says START: TensorBoard then
/// drops what it supersedes, and an import makes the same generations of it.
package struct TensorBoardExport {
  private let run: RecordedRun

  package init(_ run: RecordedRun) {
    self.run = run
  }

  /// The name of a file that TensorBoard takes for one of its own.
  package static func fileName(created: Double) -> String {
    let seconds = Int(max(0, min(created, 9_999_999_999)))
    return "events.out.tfevents.\(String(format: "%010d", seconds)).seismo.0.0"
  }

  /// Hands out the file's records in their order.
  package func eachRecord(_ body: ([UInt8]) throws -> Void) rethrows {
    let created = run.description?.created ?? run.generations.first?.wallTimes.values.first ?? 0
    var version = ProtobufWriter()
    version.double(1, created)
    version.bytes(3, "brain.Event:2".utf8)
    try body(EventFrames.frame(version.bytes))
    var wallTime = created
    for (number, generation) in run.generations.enumerated() {
      if number > 0 { try body(start(at: generation.startingStep, wallTime: wallTime)) }
      try eachStep(of: generation, wallTime: &wallTime, body)
    }
  }

  private func start(at step: Int, wallTime: Double) -> [UInt8] {
    var log = ProtobufWriter()
    log.varint(1, 1)
    var event = ProtobufWriter()
    event.double(1, wallTime)
    event.varint(2, step)
    event.bytes(7, log.bytes)
    return EventFrames.frame(event.bytes)
  }

  private func eachStep(
    of generation: RecordedRun.Generation, wallTime: inout Double,
    _ body: ([UInt8]) throws -> Void
  ) rethrows {
    for columns in generation.passes {
      try eachStep(of: columns, generation.wallTimes, wallTime: &wallTime, body)
    }
  }

  private func eachStep(
    of columns: [MetricColumn], _ clock: MetricColumn, wallTime: inout Double,
    _ body: ([UInt8]) throws -> Void
  ) rethrows {
    let columns = columns.sorted { $0.name < $1.name }
    var rows = StepRows([clock] + columns)
    var samples: [Int?] = []
    while let step = rows.nextRow(&samples) {
      if let index = samples[0] { wallTime = clock.values[index] }
      var summary = ProtobufWriter()
      for (column, index) in zip(columns, samples.dropFirst()) {
        guard let index else { continue }
        var value = ProtobufWriter()
        value.bytes(1, column.name.path.utf8)
        value.float(2, Float(column.values[index]))
        summary.bytes(1, value.bytes)
      }
      guard !summary.bytes.isEmpty else { continue }
      var event = ProtobufWriter()
      event.double(1, wallTime)
      event.varint(2, step)
      event.bytes(5, summary.bytes)
      try body(EventFrames.frame(event.bytes))
    }
  }
}
