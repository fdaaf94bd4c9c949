package import Telemetry

/// The alarms of a machine: an accelerator that has nothing to do any more, a memory near its end.
///
/// Their patience counts seconds, since a machine is looked at by the clock and not by steps.
package struct MachineAlarms: Sendable {
  private let thresholds: AlarmThresholds
  private var latches: [String: AlarmLatch] = [:]
  /// Accelerators that have been at work for a while: others are none of the run's.
  private var seconds: [Int: Double] = [:]
  private var lastTime: Double?

  /// In per cent: an accelerator that is busier is at work.
  private static let atWork = 30.0
  /// So many seconds of work make an accelerator the run's.
  private static let secondsAtWork = 20.0
  /// Per cent below the threshold at which a memory is far from its end again.
  private static let calm = 3.0

  package init(thresholds: AlarmThresholds = AlarmThresholds()) {
    self.thresholds = thresholds
  }

  /// Takes in what the machine said at a time.
  /// - Returns: the alarms that this raised or ended, as events of the samples' step.
  package mutating func take(_ samples: StepSamples) -> [RunEvent] {
    // A recording of long ago may have no times, or go back.
    let passed = min(max(0, samples.wallTime - (lastTime ?? samples.wallTime)), 60)
    lastTime = samples.wallTime
    var events: [RunEvent] = []
    for (name, value) in zip(samples.names, samples.values)
    where MetricCatalog.isMachine(name) && value.isFinite {
      switch MetricCatalog.accelerator(of: name) {
      case (let number, .util)?:
        events += idle(number, value, passed, samples)
      case (let number, .memory)?:
        events += memory("accelerator \(number)'s memory", name, value, samples)
      case nil where name == Self.memoryName:
        events += memory("memory", name, value, samples)
      default: break
      }
    }
    return events
  }

  private static let memoryName = MetricCatalog.machine("memory")

  private mutating func idle(
    _ number: Int, _ value: Double, _ passed: Double, _ samples: StepSamples
  ) -> [RunEvent] {
    if value >= Self.atWork { seconds[number, default: 0] += max(passed, 1) }
    guard seconds[number, default: 0] >= Self.secondsAtWork else { return [] }
    let isIdle = value < thresholds.level(.acceleratorIdle)
    return latch(.acceleratorIdle, "\(number)", isIdle ? .trouble : .quiet, samples) { isRaised in
      isRaised
        ? "accelerator \(number) has been idle for a minute, \(NumberText.compact(value))% busy: "
          + "it waits for data, or the program hangs"
        : "accelerator \(number) is at work again"
    }
  }

  private mutating func memory(
    _ what: String, _ name: MetricName, _ value: Double, _ samples: StepSamples
  ) -> [RunEvent] {
    let level = thresholds.level(.memoryNearEnd)
    let reading: AlarmLatch.Reading =
      value >= level ? .trouble : value < level - Self.calm ? .quiet : .between
    return latch(.memoryNearEnd, name.path, reading, samples) { isRaised in
      isRaised
        ? "\(what) is near its end: \(NumberText.compact(value))% in use"
        : "\(what) has room again: \(NumberText.compact(value))% in use"
    }
  }

  private mutating func latch(
    _ rule: AlarmRule, _ subject: String, _ reading: AlarmLatch.Reading, _ samples: StepSamples,
    text: (_ isRaised: Bool) -> String
  ) -> [RunEvent] {
    guard thresholds.isOn(rule), samples.wallTime.isFinite, abs(samples.wallTime) < 1e12 else {
      return []
    }
    let key = "\(rule.name):\(subject)"
    var latch = latches[key] ?? AlarmLatch()
    let change = latch.read(reading, step: Int(samples.wallTime), patience: rule.patience)
    latches[key] = latch
    guard let change else { return [] }
    let isRaised = change == .raised
    return [
      RunEvent(
        step: samples.step, wallTime: samples.wallTime, kind: isRaised ? .alarm : .calm,
        by: "alarm", name: rule.name, text: text(isRaised))
    ]
  }
}
