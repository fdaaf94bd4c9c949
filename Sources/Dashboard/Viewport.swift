import Signals
package import Telemetry

/// How charts are looked at: which steps, which axes, how smooth, where the cursor is.
package struct Viewport: Sendable, Hashable {
  package enum Zoom: Sendable, Hashable {
    case all
    /// The last so many steps, moving on with the run.
    case last(Int)
    case fixed(Range<Int>)
  }

  package var zoom = Zoom.all
  /// What the horizontal axis of all charts counts; nil where each chart has the one that the run
  /// itself defines for it, or else counts steps.
  package var axis: AxisKind?
  package var logY: Set<PaneID> = [.attentionLogits, .gradients]
  package var isLogX = false
  /// Which values the vertical axis of each pane shows; automatic where there is nothing said.
  package var valueZoom: [PaneID: ValueZoom] = [:]
  package var smoothing: Double? = 0.97
  package var cursor: Int?
  package var filter: String?
  /// Rows by which each list is scrolled.
  package var scroll: [PaneID: Int] = [:]

  package static let smoothings: [Double?] = [nil, 0.6, 0.9, 0.97, 0.99, 0.997]
  static let narrowest = 8

  package init() {}

  /// The steps that charts show of a run whose steps up to the playhead are `steps`.
  package func window(in steps: Range<Int>) -> TimeWindow {
    guard !steps.isEmpty else {
      return TimeWindow(steps: steps.lowerBound..<steps.lowerBound + 1, isAll: true)
    }
    switch zoom {
    case .all:
      return TimeWindow(steps: steps, isAll: true)
    case .last(let count):
      return TimeWindow(
        steps: max(steps.lowerBound, steps.upperBound - count)..<steps.upperBound,
        isAll: count >= steps.count)
    case .fixed(let range):
      let shown = range.clamped(to: steps)
      guard !shown.isEmpty else { return TimeWindow(steps: steps, isAll: false) }
      return TimeWindow(steps: shown, isAll: false)
    }
  }

  /// Shows `factor` times as many steps, around the cursor or else the end.
  package mutating func scale(by factor: Double, in steps: Range<Int>, around step: Int?) {
    let shown = window(in: steps).steps
    let count = max(Self.narrowest, Int((Double(shown.count) * factor).rounded()))
    guard count < steps.count else {
      zoom = .all
      return
    }
    guard let step = step ?? cursor else {
      zoom = shown.upperBound >= steps.upperBound ? .last(count) : around(shown, count, in: steps)
      return
    }
    let share = Double(step - shown.lowerBound) / Double(max(1, shown.count))
    show(from: step - Int(Double(count) * share), count: count, in: steps)
  }

  private func around(_ shown: Range<Int>, _ count: Int, in steps: Range<Int>) -> Zoom {
    var other = self
    other.show(from: (shown.lowerBound + shown.upperBound - count) / 2, count: count, in: steps)
    return other.zoom
  }

  /// Moves the window by a share of its width.
  package mutating func pan(by share: Double, in steps: Range<Int>) {
    guard zoom != .all else { return }
    let shown = window(in: steps).steps
    let distance = Int((Double(shown.count) * abs(share)).rounded(.up))
    let first = shown.lowerBound + (share < 0 ? -distance : distance)
    show(from: first, count: shown.count, in: steps)
  }

  package mutating func show(from first: Int, count: Int, in steps: Range<Int>) {
    let lowest = min(max(first, steps.lowerBound), max(steps.lowerBound, steps.upperBound - count))
    zoom = lowest + count >= steps.upperBound ? .last(count) : .fixed(lowest..<lowest + count)
  }

  /// Pans as little as needed for `step` to be seen.
  package mutating func reveal(_ step: Int, in steps: Range<Int>) {
    let shown = window(in: steps).steps
    guard !shown.contains(step) else { return }
    show(from: step - shown.count / 2, count: shown.count, in: steps)
  }

  package mutating func cycleSmoothing() {
    let index = Self.smoothings.firstIndex(of: smoothing) ?? 0
    smoothing = Self.smoothings[(index + 1) % Self.smoothings.count]
  }

  /// Goes to the next axis: the run's own definitions where it has some, those of every run, then the
  /// metrics that grow.
  package mutating func cycleAxis(_ growing: [MetricName] = [], hasDefined: Bool = false) {
    let own: [AxisKind?] = hasDefined ? [nil] : []
    let all = own + AxisKind.usual + growing.map(AxisKind.metric)
    let index = all.firstIndex(of: axis) ?? 0
    axis = all[(index + 1) % all.count]
  }
}
