package import Telemetry

/// The alarms of a run that another program trains, or trained, unless it tells its own.
package struct ForeignAlarms: Sendable {
  private let thresholds: AlarmThresholds
  private var monitor = AlarmMonitor()
  private var gradientSpike = GradientSpikeRule()
  private var machine: MachineAlarms
  private var isTold = false
  private var lastStep: Int?
  private var hasLoss = false

  package init(thresholds: AlarmThresholds) {
    self.thresholds = thresholds
    machine = MachineAlarms(thresholds: thresholds)
  }

  /// Whether a metric can raise an alarm with a finite value. Of every other only what is not finite
  /// counts, and at which steps it was measured.
  package func watches(_ name: MetricName) -> Bool {
    MetricCatalog.isMachine(name) || SampleLayout(names: [name]).isRead
      || thresholds.rules.contains { MetricGlob($0.pattern).matches(name) }
  }

  /// Takes the run's next record in.
  /// - Returns: the alarms that it raised or ended, as events of its step.
  package mutating func take(_ record: RunRecord) -> [RunEvent] {
    switch record {
    case .description(let description):
      // The engine raises its own.
      isTold = isTold || description.model != nil
      return []
    case .event(let event):
      isTold = isTold || event.kind == .alarm
      return []
    case .samples(let samples):
      var events = observe(samples) + gradientSpike.take(samples, thresholds: thresholds)
      events += machine.take(samples)
      // The keys that hints name are not known to the other program.
      for index in events.indices { events[index].hint = nil }
      return isTold ? [] : events
    default: return []
    }
  }

  /// Where validation counts something else than training does, its steps going back say nothing of
  /// the run.
  private mutating func observe(_ samples: StepSamples) -> [RunEvent] {
    let isTraining = samples[MetricCatalog.loss] != nil
    hasLoss = hasLoss || isTraining
    var moved = samples
    if hasLoss, !isTraining, let lastStep { moved.step = max(lastStep, samples.step) }
    if isTraining || !hasLoss { lastStep = samples.step }
    var events = monitor.observe(moved, thresholds: thresholds)
    for index in events.indices { events[index].step = samples.step }
    return events
  }
}
