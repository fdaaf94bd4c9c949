import Dispatch
import Foundation
package import Signals
import Synchronization
package import Telemetry

/// Looks once a second at what the machine does, on a queue of its own, for as long as it is held.
///
/// What is read while a step is in force goes with the next one, as a value a metric under `system/`:
/// a step may take a millisecond or an hour, and no sample stands at a step that nobody told. Alarms
/// are raised on each look.
package final class MachineMonitor: Sendable {
  private struct Content {
    var reader: MachineReader
    var tools: [AcceleratorTool]
    var gathered = MachineReadings()
    var alarms: MachineAlarms
    /// Raised and not told yet.
    var events: [RunEvent] = []
    var lastStep: Int?
  }

  private let content: Mutex<Content>
  private let queue = DispatchQueue(label: "seismo.machine", qos: .utility)

  private static let interval = DispatchTimeInterval.seconds(1)

  /// Begins to look. `process` is the program that trains; nil where nobody knows it.
  package init(process: Int32?, thresholds: AlarmThresholds) {
    content = Mutex(
      Content(
        reader: MachineReader(process: process), tools: AcceleratorTool.all(),
        alarms: MachineAlarms(thresholds: thresholds)))
    queue.async { [weak self] in self?.look() }
  }

  private func look() {
    let now = Date().timeIntervalSince1970
    content.withLock { content in
      let readings = content.reader.read(now: now) + content.tools.flatMap { $0.read() }
      for reading in readings { content.gathered.add(reading.name, reading.value) }
      let said = StepSamples(
        step: 0, wallTime: now, names: readings.map(\.name), values: readings.map(\.value))
      content.events += content.alarms.take(said)
    }
    queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in self?.look() }
  }

  /// The record as it is; samples of a new step with what the machine did meanwhile.
  package func accompanied(_ record: RunRecord) -> RunRecord {
    switch record {
    case .samples(var samples):
      let readings = take(for: samples.step)
      guard !readings.isEmpty else { return record }
      let known = Set(samples.names)
      for reading in readings where !known.contains(reading.name) {
        samples.names.append(reading.name)
        // As wide as the table of metrics says.
        samples.values.append(Double(Float(reading.value)))
      }
      return .samples(samples)
    case .generation:
      content.withLock { $0.lastStep = nil }
      return record
    default: return record
    }
  }

  private func take(for step: Int) -> [(name: MetricName, value: Double)] {
    content.withLock { content in
      guard step > content.lastStep ?? .min else { return [] }
      content.lastStep = step
      return content.gathered.isEmpty ? [] : content.gathered.take()
    }
  }

  /// The alarms that came since this was last asked, as events of `step`, the one in force.
  package func takeEvents(at step: Int) -> [RunEvent] {
    var events = content.withLock { content in
      defer { content.events = [] }
      return content.events
    }
    for index in events.indices { events[index].step = step }
    return events
  }
}
