package import Signals
import Telemetry

/// Another run whose lines are drawn over this one's.
package struct Overlay: Sendable {
  package let name: String
  package let path: String
  package private(set) var history: RunHistory
  /// Which of the overlays' roles its lines have.
  let role: Role
  private(set) var smoothed: [MetricName: SmoothedSeries] = [:]

  /// More lines than these are not told apart.
  static let roles: [Role] = [.overlayFirst, .overlaySecond, .overlayThird, .overlayFourth]

  /// So many runs are drawn over another.
  package static var most: Int { roles.count }

  init(name: String, path: String, history: RunHistory, role: Role) {
    self.name = name
    self.path = path
    self.history = history
    self.role = role
  }

  /// Smooths what charts draw smooth, at the weight that the run's own lines have; only what has
  /// come since the last time, unless the weight is another.
  mutating func smooth(_ names: [MetricName], weight: Double?) {
    guard let weight else {
      smoothed = [:]
      return
    }
    for name in names {
      guard let series = history[name], !series.isArchived else { continue }
      var smooth = smoothed.removeValue(forKey: name) ?? SmoothedSeries(weight: weight)
      if smooth.weight != weight { smooth = SmoothedSeries(weight: weight) }
      smooth.update(with: series)
      smoothed[name] = smooth
    }
  }

  mutating func append(_ records: [RunRecord]) {
    history.append(contentsOf: records)
  }
}

extension Overlay {
  /// The line of `metric`; nil where the run has none. A step of the axis is the one of this run
  /// with as many tokens or seconds behind it, where the axis counts those.
  func line(_ metric: MetricName, _ context: PaneContext) -> ChartLine? {
    guard let series = history[metric], !series.isEmpty else { return nil }
    let isSmooth = context.smoothing != nil && DashboardState.smoothedMetrics.contains(metric)
    var line = ChartLine(
      series: series, values: smoothed[metric]?.values, shape: isSmooth ? .average : .range,
      role: role, name: name)
    line.isForecast = true
    line.isInFront = true
    line.counterpart = counterpart(context)
    return line
  }

  private func counterpart(_ context: PaneContext) -> (@Sendable (Int) -> Int)? {
    switch context.axis {
    case .step:
      return nil
    case .tokens:
      guard let own = TokenCount(context.history), let other = TokenCount(history), own != other
      else { return nil }
      return { (step: Int) -> Int in other.step(after: own.tokens(before: step)) }
    case .time, .clock:
      let own = context.history.wallTimes
      let other = history.wallTimes
      guard !own.isEmpty, !other.isEmpty else { return nil }
      let start = own.value(atIndex: 0)
      let origin = context.axis == .clock ? start : other.value(atIndex: 0)
      return { (step: Int) -> Int in
        let elapsed = (own.value(atOrBefore: step) ?? start) - start
        return other.step(atOrAfter: origin + elapsed)
      }
    case .metric(let name):
      guard let own = context.history[name], let other = history[name], !own.isEmpty,
        !other.isEmpty
      else { return nil }
      return { (step: Int) -> Int in
        other.step(atOrAfter: own.value(atOrBefore: step) ?? own.value(atIndex: 0))
      }
    }
  }
}

extension Series {
  /// Of a series that grows, such as wall times: the first step whose value is at least `amount`, one
  /// beyond the last where there is none.
  fileprivate func step(atOrAfter amount: Double) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      // Times are sums of many small ones.
      if value(atIndex: middle) < amount - 1e-6 { low = middle + 1 } else { high = middle }
    }
    return low < count ? step(atIndex: low) : (lastStep ?? 0) + 1
  }
}

extension DashboardState {
  /// Lays a run over the charts, in the first colour that is free.
  mutating func lay(over history: RunHistory, of run: ListedRun) -> [Effect] {
    overlayRequests.remove(run.path)
    guard !overlays.contains(where: { $0.path == run.path }) else { return [] }
    let taken = overlays.map(\.role)
    guard let role = Overlay.roles.first(where: { !taken.contains($0) }) else {
      return [.dropRun(path: run.path)]
    }
    guard history.lastStep != nil else {
      say("\(run.name) has no steps yet", .warning)
      return [.dropRun(path: run.path)]
    }
    var overlay = Overlay(name: run.name, path: run.path, history: history, role: role)
    overlay.smooth(Self.smoothedMetrics, weight: viewport.smoothing)
    overlays.append(overlay)
    say("\(run.name) is drawn over the charts: o takes it away", role)
    return []
  }

  /// Lets a run that lies over the charts go on.
  mutating func extendOverlay(at path: String, _ records: [RunRecord]) {
    guard let index = overlays.firstIndex(where: { $0.path == path }) else { return }
    overlays[index].append(records)
    overlays[index].smooth(Self.smoothedMetrics, weight: viewport.smoothing)
  }

  /// Asks for a run's records, or takes the run away where it lies over the charts already.
  mutating func toggleOverlay(_ run: ListedRun) -> [Effect] {
    if let index = overlays.firstIndex(where: { $0.path == run.path }) {
      overlays.remove(at: index)
      say("\(run.name) is no longer drawn")
      return [.dropRun(path: run.path)]
    }
    guard overlays.count + overlayRequests.count < Overlay.roles.count else {
      say("\(Overlay.roles.count) runs are drawn already: take one away first", .warning)
      return [.bell]
    }
    guard overlayRequests.insert(run.path).inserted else { return [] }
    say("reading \(run.name)", .faint)
    return [.loadRun(run)]
  }
}
