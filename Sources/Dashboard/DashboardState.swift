package import Screen
package import Signals
package import Telemetry

/// All that the screen is drawn from.
package struct DashboardState: Sendable {
  package var history = RunHistory()
  package var source: RunSource
  /// A replay's place; nil where the latest step is shown.
  package var playback: Playback?
  /// The step at which a person froze the display of a live run.
  package var frozenAt: Int?
  package var arrangement = Arrangement()
  package var viewport = Viewport()
  package var appearance: Appearance
  /// Front last; the front one takes keys first.
  package var layers: [any Layer] = []
  package var toast: Toast?
  package var size: Size
  /// Seconds since 1970, as the last tick said.
  package var now: Double
  /// How far the person's clock is ahead of Greenwich's.
  package var secondsFromGMT = 0
  package var trouble = Trouble()
  package var requests = Requests()
  var smoothed: [MetricName: SmoothedSeries] = [:]
  /// Other runs drawn over this one, in the order in which they were asked for.
  package var overlays: [Overlay] = []
  /// The runs there are to choose from; nil until they are known.
  var listedRuns: [ListedRun]?
  /// Where they lie, the present run's folder first.
  var runPlaces: [String] = []
  /// The list of runs as it was left, so that it opens with the same marks, order and filter.
  package var browser = RunBrowser()
  /// When they were asked for last.
  var runsAskedAt = 0.0
  /// The paths of the runs that are being read.
  var overlayRequests: Set<String> = []
  /// The lines that were run in the palette, the newest last.
  package var commandHistory: [String] = []
  /// Each preset's options, by its name.
  package var presetDefaults: [String: [String: String]] = [:]
  /// Whether the focused pane says by which keys it is explained.
  package var showsHelpHint = false
  /// Until then letters and digits are no commands: they were typed before a refusal was read.
  var deafUntil = 0.0
  /// The key that closed a box with a command to the run, until another one comes.
  var echo: Key?
  /// What the mouse holds.
  var grip: Grip?
  /// The charts of all that is logged.
  package var wall = Wall()

  /// What charts draw smooth.
  static let smoothedMetrics = [
    MetricCatalog.loss, MetricCatalog.excessLoss, MetricCatalog.tokensPerSecond,
    MetricCatalog.stepMilliseconds,
  ]

  package init(
    source: RunSource, size: Size, appearance: Appearance = Appearance(), now: Double = 0
  ) {
    self.source = source
    self.size = size
    self.appearance = appearance
    self.now = now
    if source.kind == .replay { playback = Playback(step: 0) }
  }
}

extension DashboardState {
  package var isReplay: Bool { source.kind == .replay }
  package var isMixture: Bool { (history.description?.model?.experts ?? 0) > 1 }

  /// The panes whose metrics another trainer's run does not log. A run of Seismo's own, which tells
  /// its model, logs them all sooner or later, but for a model without attention.
  var silentPanes: Set<PaneID> {
    guard let description = history.description, history.lastStep != nil else { return [] }
    guard description.model == nil else {
      let hasAttention = history[MetricCatalog.attentionLogitMax] != nil
      return hasStateSpaces && !hasAttention ? [.attentionLogits] : []
    }
    let silent = PaneCatalog.panes.filter { pane in
      pane.isOfMetrics && pane.ownMetrics(in: history).allSatisfy { history[$0]?.isEmpty ?? true }
    }
    return Set(silent.map(\.id))
  }

  /// What has panes of its own beside the wall, which stands in for the silent ones.
  func metricsOfOtherPanes(silent: Set<PaneID>) -> Set<MetricName> {
    guard !silent.isEmpty else { return [] }
    let others = PaneCatalog.panes.filter { !silent.contains($0.id) }.flatMap {
      $0.ownMetrics(in: history)
    }
    return Set(others + (silent.contains(.loss) ? [] : [MetricCatalog.evalLoss]))
  }

  /// The panes wanted, the one to be left out last first.
  var rankedPanes: [PaneID] {
    arrangement.ranked(isMixture: isMixture, silent: silentPanes, told: toldPanes)
  }

  /// Of the panes that are there only where an option asks for them, those that the run tells of.
  var toldPanes: Set<PaneID> {
    var told: Set<PaneID> = []
    if history.events.contains(where: { $0.kind == .sample }) { told.insert(.samples) }
    if InspectionPane.pane.metrics.contains(where: { history[$0] != nil }) {
      told.insert(.inspection)
    }
    if history[MetricCatalog.rewardBaseline] != nil { told.insert(.reward) }
    if hasStateSpaces { told.insert(.stateSpaces) }
    return told
  }

  private var hasStateSpaces: Bool {
    !history.names(ofFamily: MetricCatalog.stateSizes).isEmpty
  }

  /// The last step that is drawn.
  package var playhead: Int {
    if let playback { return playback.step }
    return min(frozenAt ?? .max, history.lastStep ?? 0)
  }

  /// The steps that charts can show: from the first recorded one up to the playhead.
  package var steps: Range<Int> {
    let first = history.firstStep ?? 0
    return first..<max(first, lastShownStep) + (history.lastStep == nil ? 0 : 1)
  }

  /// The playhead; at the run's end the updates done, and the last step that the run reached before
  /// it went back, too.
  private var lastShownStep: Int {
    guard playhead >= history.lastStep ?? 0 else { return playhead }
    let end = showsEnd ? history.stepsDone : playhead
    return max(playhead, end, history.lastSupersededStep ?? 0)
  }

  /// Updates done at the playhead, as checkpoints and lists count them.
  package var stepsDone: Int {
    playhead >= history.lastStep ?? 0 ? history.stepsDone : playhead
  }

  /// Every recorded step.
  package var recordedSteps: ClosedRange<Int> {
    let first = history.firstStep ?? 0
    return first...max(first, history.lastStep ?? 0)
  }

  /// Whether the run has ended and its end is what the screen shows.
  package var showsEnd: Bool {
    history.state.isOver && frozenAt == nil && playhead >= (history.lastStep ?? 0)
  }

  /// Whether leaving ends or abandons something.
  package var isLive: Bool { source.kind == .live && !history.state.isOver }

  /// The present value of a setting, the one asked for first.
  package func setting(_ name: String) -> SettingValue? {
    requests.value(of: name) ?? valueInForce(name)
  }

  /// A run that takes commands has said itself what is in force, also while it is held between two
  /// steps; of a recording the changes up to the playhead tell.
  private func valueInForce(_ name: String) -> SettingValue? {
    guard !isReplay, let declared = declaration(name) else {
      return history.setting(name, at: playhead)
    }
    return declared.value
  }

  /// Whether what is shown is the run as it is now.
  package var showsPresent: Bool { !isReplay && frozenAt == nil }

  package func declaration(_ name: String) -> SettingDeclaration? {
    history.settings.first { $0.name == name }
  }

  package var isPaused: Bool { requests.isPaused ?? (history.state == .paused) }

  /// What of the screen moves by the clock alone: where it stays, and nothing else has happened, no
  /// frame need be drawn.
  package var clockFace: ClockFace {
    ClockFace(
      toast: toast, silence: silence.map { Int($0) }, playback: playback?.isPlaying,
      playhead: playhead, recorder: trouble.recorder, source: trouble.source,
      refusal: source.refusal)
  }

  package mutating func say(_ text: String, _ role: Role = .text, seconds: Double = 4) {
    toast = Toast(text: text, role: role, until: now + seconds)
  }

  /// The layout of the present size.
  package var layout: Layout {
    Layout(
      size: size, arrangement: arrangement, isMixture: isMixture, silent: silentPanes,
      told: toldPanes, hasBanner: Banner(self) != nil, isWall: isWallWhole)
  }

  package func context(for pane: PaneID) -> PaneContext {
    var context = PaneContext(
      history: history, playhead: playhead, window: viewport.window(in: steps),
      axis: viewport.axis ?? .step, isLogY: viewport.logY.contains(pane), isLogX: viewport.isLogX,
      smoothing: viewport.smoothing, smoothed: smoothed, cursorStep: viewport.cursor,
      theme: appearance.theme, symbols: appearance.symbols,
      isFocused: arrangement.focus == pane, isZoomed: arrangement.zoomed == pane,
      filter: viewport.filter, scroll: viewport.scroll[pane] ?? 0, showsPresent: showsPresent,
      overlays: overlays)
    context.secondsFromGMT = secondsFromGMT
    context.wall = wall
    context.definedAxes = viewport.axis == nil ? definedAxes : []
    if !context.definedAxes.isEmpty, let metric = leadingMetric(of: pane) {
      context = context.over(axisOf: metric)
    }
    context.valueZoom = viewport.valueZoom[pane] ?? .automatic
    if pane == .wall, wall.zoomed == nil { context.valueZoom = .automatic }
    context.defaults = history.description?.options["preset"].flatMap { presetDefaults[$0] } ?? [:]
    return context
  }
}
