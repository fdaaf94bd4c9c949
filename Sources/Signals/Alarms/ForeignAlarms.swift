package import Telemetry

/// The alarms of a run that another program trains, or trained, unless it tells its own.
package struct ForeignAlarms: Sendable {
  private let thresholds: AlarmThresholds
  private var monitor = AlarmMonitor()
  private var isTold = false

  package init(thresholds: AlarmThresholds) {
    self.thresholds = thresholds
  }

  /// Takes the run's next record in.
  /// - Returns: the alarms that it raised or ended, as events of its step.
  package mutating func take(_ record: RunRecord) -> [RunEvent] {
    switch record {
    case .event(let event):
      isTold = isTold || event.kind == .alarm
      return []
    case .samples(let samples):
      var events = monitor.observe(samples, thresholds: thresholds)
      // The keys that hints name are not known to the other program.
      for index in events.indices { events[index].hint = nil }
      return isTold ? [] : events
    default: return []
    }
  }
}
