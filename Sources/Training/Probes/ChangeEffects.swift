import Signals
import Telemetry

/// Waits until a change of a setting has shown what it does, then says so.
///
/// It keeps the few metrics that settings are meant to move, no further back than the oldest change
/// that waits, and is saved with a checkpoint.
struct ChangeEffects: Sendable, Codable {
  private struct Pending: Sendable, Codable {
    let change: RunEvent
    let blendSteps: Int

    var dueStep: Int { change.step + TrendEffect.dueAfter(blendSteps: blendSteps) }
  }

  private var pending: [Pending] = []
  private var names: [MetricName] = []
  private var steps: [Int] = []
  private var rows: [[Double]] = []

  private static let kept = TrendEffect.window

  init() {}

  /// Takes note of `event` if it is a change.
  mutating func note(_ event: RunEvent, blendSteps: Int) {
    guard event.kind == .set else { return }
    let isBlended = event.name == SettingCatalog.qkLayerNorm
    pending.removeAll { $0.change.name == event.name && $0.change.step == event.step }
    // A change that is taken back before it has shown anything leaves nothing to tell.
    if let last = pending.lastIndex(where: { $0.change.name == event.name }),
      pending[last].change.before == event.after
    {
      pending.remove(at: last)
      return
    }
    pending.append(Pending(change: event, blendSteps: isBlended ? blendSteps : 0))
  }

  /// Takes one step in and gives the effects that are known now.
  mutating func observe(_ samples: StepSamples) -> [RunEvent] {
    keep(samples)
    let due = pending.filter { $0.dueStep <= samples.step }
    guard !due.isEmpty else { return [] }
    pending.removeAll { $0.dueStep <= samples.step }
    let series = self.series
    return due.compactMap {
      TrendEffect.event(
        of: $0.change, in: series, blendSteps: $0.blendSteps, step: samples.step,
        wallTime: samples.wallTime)
    }
  }

  private mutating func keep(_ samples: StepSamples) {
    if names.isEmpty { names = samples.names.filter(Self.isWatched) }
    if let last = steps.last, samples.step <= last {
      steps.removeAll()
      rows.removeAll()
    }
    steps.append(samples.step)
    rows.append(names.map { samples[$0] ?? .nan })
    let oldest = (pending.map(\.change.step).min() ?? samples.step) - Self.kept
    guard let first = steps.first, first < oldest - Self.kept else { return }
    let passed = steps.prefix { $0 < oldest }.count
    steps.removeFirst(passed)
    rows.removeFirst(passed)
  }

  private var series: [MetricName: Series] {
    var series: [MetricName: Series] = [:]
    for (column, name) in names.enumerated() {
      series[name] = Series(steps: steps, values: rows.map { $0[column] })
    }
    return series
  }

  private static func isWatched(_ name: MetricName) -> Bool {
    let watched = [
      MetricCatalog.loss, MetricCatalog.attentionLogitMax, MetricCatalog.logZ,
      MetricCatalog.gradNorm,
    ]
    return watched.contains(name)
      || MetricCatalog.family(of: name)?.stem == "expert_max_violation"
  }
}
