package import Screen
package import Signals
package import Telemetry

/// Each pane's name: one of those that there are, or of metrics that a person has pinned.
package struct PaneID: RawRepresentable, Sendable, Hashable, CaseIterable {
  package let rawValue: String

  /// Those that there are without a person's own, in the order of the catalog.
  package static var allCases: [PaneID] { PaneCatalog.ids }

  /// A pane's own word for itself, told in its file.
  init(_ name: String) { rawValue = name }

  package init?(rawValue: String) {
    // What the wall was called before it was one.
    let rawValue = rawValue == "metrics" ? "wall" : rawValue
    guard
      Self.allCases.contains(where: { $0.rawValue == rawValue }) || Self.glob(in: rawValue) != nil
    else { return nil }
    self.rawValue = rawValue
  }

  private static let pinMark = "pin:"

  /// The pane of all metrics that match one of the patterns in `globs`, with commas between them.
  package static func pinned(_ globs: String) -> PaneID {
    let parts = globs.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    return PaneID(pinMark + parts.joined(separator: ","))
  }

  /// The patterns of a pane of a person's own.
  package var globs: String? { Self.glob(in: rawValue) }

  private static func glob(in rawValue: String) -> String? {
    guard rawValue.hasPrefix(pinMark), rawValue != pinMark else { return nil }
    return String(rawValue.dropFirst(pinMark.count))
  }
}

/// One pane: functions from a run's history to cells. A pane is a file in Panes/.
package struct Pane: Sendable {
  package let id: PaneID
  package let title: String
  /// Below this many rows inside its border a pane says less than its headline does.
  package let minimumRows: Int
  /// The share of the rows it is given beside others.
  package let weight: Int
  /// What it shows, what is healthy, what to do.
  package let explanation: String
  /// The number that matters, at the right of the title.
  package let headline: @Sendable (PaneContext) -> [Span]
  /// Draws inside the border, at any size, 0x0 too.
  package let draw: @Sendable (inout CellGrid, Rect, PaneContext) -> Void
  /// Without any of these it has nothing to draw; empty where it draws from whatever there is.
  let metrics: [MetricName]
  /// The same of lines of the table, by their stems: where a run says which layers have the metric.
  let families: [String]
  /// The chart whose vertical axis a person can zoom; nil where a pane has none.
  let chart: (@Sendable (PaneContext) -> LineChart)?
  /// What stays of title and headline where there is little room.
  let brief: Brief?
  /// Draws it where it has the whole screen and needs no border of its own; nil for a pane that has one
  /// there too.
  let bare: (@Sendable (inout CellGrid, Rect, PaneContext) -> Void)?

  struct Brief: Sendable {
    let title: String
    /// Parts of the headline that are not left out.
    let headline: @Sendable (PaneContext) -> [Span]
  }

  init(
    id: PaneID, title: String, minimumRows: Int, weight: Int, explanation: String,
    metrics: [MetricName] = [], families: [String] = [],
    headline: @escaping @Sendable (PaneContext) -> [Span],
    draw: @escaping @Sendable (inout CellGrid, Rect, PaneContext) -> Void,
    chart: (@Sendable (PaneContext) -> LineChart)? = nil, brief: Brief? = nil,
    bare: (@Sendable (inout CellGrid, Rect, PaneContext) -> Void)? = nil
  ) {
    self.id = id
    self.title = title
    self.minimumRows = minimumRows
    self.weight = weight
    self.explanation = explanation
    self.metrics = metrics
    self.families = families
    self.headline = headline
    self.draw = draw
    self.chart = chart
    self.brief = brief
    self.bare = bare
  }

  /// Whether it draws from metrics of its own.
  var isOfMetrics: Bool { !metrics.isEmpty || !families.isEmpty }

  /// Those of its metrics that a run may have, lines of the table as far as it has them.
  func ownMetrics(in history: RunHistory) -> [MetricName] {
    metrics + families.flatMap(history.names(ofFamily:))
  }
}

/// The steps that charts show.
package struct TimeWindow: Sendable, Hashable {
  package var steps: Range<Int>
  /// Whether it is the whole run up to the playhead, so that it grows with the run.
  package var isAll: Bool

  package init(steps: Range<Int>, isAll: Bool) {
    self.steps = steps
    self.isAll = isAll
  }
}

/// What the horizontal axis counts.
package enum AxisKind: Sendable, Hashable {
  case step, tokens
  /// Since the run began.
  case time
  /// The time of day.
  case clock
  /// What a metric that grows says, such as an epoch or samples seen.
  case metric(MetricName)

  /// Those that every run has.
  package static let usual: [AxisKind] = [.step, .tokens, .time, .clock]

  /// As a person reads it.
  package var words: String {
    switch self {
    case .step: "step"
    case .tokens: "tokens"
    case .time: "time"
    case .clock: "clock"
    case .metric(let name): name.path
    }
  }
}

/// All that a pane may draw from.
package struct PaneContext: Sendable {
  package var history: RunHistory
  /// Nothing after this step is drawn.
  package var playhead: Int
  package var window: TimeWindow
  package var axis: AxisKind
  package var isLogY: Bool
  package var isLogX: Bool
  /// The weight of the past in the debiased average; nil where lines are drawn raw.
  package var smoothing: Double?
  /// Smoothed series that grow with the history; a pane smooths what is not here itself.
  package var smoothed: [MetricName: SmoothedSeries]
  /// The step at which exact values are read off.
  package var cursorStep: Int?
  package var theme: Theme
  package var symbols: Symbols
  package var isFocused: Bool
  package var isZoomed: Bool
  /// What a person typed after `/`; events and metrics that do not hold it are left out.
  package var filter: String?
  /// Rows by which a list is scrolled away from its beginning.
  package var scroll: Int
  /// Whether the playhead is the run's own present, so that its declared settings are in force.
  package var showsPresent: Bool
  /// Other runs drawn over this one.
  package var overlays: [Overlay]
  /// How far the person's clock is ahead of Greenwich's.
  package var secondsFromGMT = 0
  /// Which values the pane's vertical axis shows.
  package var valueZoom = ValueZoom.automatic
  /// The axes that the run defines for some of its metrics; none where a person chose one for all.
  var definedAxes: Set<AxisKind> = []
  /// The charts of all that is logged, and how they are looked at.
  var wall = Wall()
  /// The options as the run's preset has them; empty where that is not known.
  package var defaults: [String: String] = [:]

  package init(
    history: RunHistory, playhead: Int, window: TimeWindow, axis: AxisKind = .step,
    isLogY: Bool = false, isLogX: Bool = false, smoothing: Double? = 0.9,
    smoothed: [MetricName: SmoothedSeries] = [:], cursorStep: Int? = nil, theme: Theme = .dark,
    symbols: Symbols = .unicode, isFocused: Bool = false, isZoomed: Bool = false,
    filter: String? = nil, scroll: Int = 0, showsPresent: Bool = false,
    overlays: [Overlay] = []
  ) {
    self.history = history
    self.playhead = playhead
    self.window = window
    self.axis = axis
    self.isLogY = isLogY
    self.isLogX = isLogX
    self.smoothing = smoothing
    self.smoothed = smoothed
    self.cursorStep = cursorStep
    self.theme = theme
    self.symbols = symbols
    self.isFocused = isFocused
    self.isZoomed = isZoomed
    self.filter = filter
    self.scroll = scroll
    self.showsPresent = showsPresent
    self.overlays = overlays
  }

  package var description: RunDescription? { history.description }

  /// What raises the run's alarms: guides and colours say the same.
  var thresholds: AlarmThresholds { AlarmThresholds(options: description?.options ?? [:]) }

  /// The events up to the playhead, oldest first; what an alarm says of keys is left out where the
  /// run is over and they do nothing any more.
  package var events: [RunEvent] {
    let events = history.events(upTo: playhead)
    guard showsPresent, history.state.isOver else { return events }
    return events.map { event in
      guard event.kind == .alarm, let hint = event.hint else { return event }
      if case .goBack = AlarmHint(hint) { return event }
      var event = event
      event.hint = nil
      return event
    }
  }

  /// The value of a setting in force at the playhead.
  func setting(_ name: String) -> SettingValue? {
    let declared = showsPresent ? history.settings.first { $0.name == name }?.value : nil
    return declared ?? history.setting(name, at: playhead)
  }

  package func style(_ role: Role, _ attributes: Attributes = []) -> Style {
    theme.style(role, attributes)
  }
}
