import Screen
import Signals
import Telemetry

extension PaneContext {
  /// The value of `name` at the playhead.
  func value(_ name: MetricName) -> Double? { history.value(of: name, atOrBefore: playhead) }

  /// What the values of `name` count. Another trainer's loss is in whatever it was computed in.
  func unit(of name: MetricName) -> String {
    description?.unit(of: name) ?? MetricCatalog.family(of: name)?.unit ?? ""
  }

  /// The step at which numbers beside a chart are read off: the cursor's, else the playhead.
  var readingStep: Int { min(cursorStep ?? playhead, playhead) }

  /// The value of `name` at the cursor, else at the playhead.
  func reading(_ name: MetricName) -> Double? { history.value(of: name, atOrBefore: readingStep) }

  /// Whether a sample of `name` lies before the playhead.
  func has(_ name: MetricName) -> Bool {
    history.firstStep(of: name).map { $0 <= playhead } ?? false
  }

  /// The metrics of a family with one number, `name(0)`, `name(1)` and so on, that have samples, in the
  /// order of their numbers.
  ///
  /// Those that there are are walked, since how many a run may have is what its description says.
  func indexed(
    _ name: (Int) -> MetricName
  ) -> [(index: Int, name: MetricName, series: Series)] {
    let stem = MetricCatalog.family(of: name(0))?.stem ?? ""
    return members(ofFamily: stem).compactMap { numbers, member in
      guard let index = numbers.last, index >= 0, member == name(index),
        let series = history[member]
      else { return nil }
      return (index, member, series)
    }.sorted { $0.index < $1.index }
  }

  /// The metrics of one line of the table that have samples before the playhead, each with the numbers in
  /// its name.
  func members(ofFamily stem: String) -> [(numbers: [Int], name: MetricName)] {
    history.names(ofFamily: stem).filter(has).map { (MetricCatalog.indices(of: $0), $0) }
  }

  /// A line a layer, of which only the last has its full colour.
  func layerLines(
    _ layers: [(index: Int, name: MetricName, series: Series)]
  ) -> [ChartLine] {
    layers.map { layer, _, series in
      let isLast = layer == layers.last?.index
      return ChartLine(
        series: series, shape: .range, role: isLast ? .activations : .activationsFaint,
        name: isLast || layers.count <= 4 ? "L\(layer)" : nil, isDetail: !isLast,
        ending: "L\(layer)")
    }
  }

  /// What is marked on the charts of `pane`: commands on all, alarms where they concern it.
  func marks(on pane: PaneID) -> [EventMark] { numberedMarks(on: pane).map(\.mark) }

  /// The same, each with its event.
  func numberedMarks(on pane: PaneID) -> [(event: RunEvent, mark: EventMark)] {
    EventMark.numbered(events) { event in
      guard event.kind == .alarm else { return true }
      // A rule that only its source knows is about the loss.
      return event.alarmRule?.place.panes.contains(pane) ?? (pane == .loss)
    }
  }

  /// The raw line of a metric, faint where a smooth one lies before it, with those that later
  /// generations superseded behind it.
  func lines(
    _ name: MetricName, role: Role, faint: Role, label: String
  ) -> [ChartLine] {
    guard let series = history[name] else { return [] }
    let older = older(name)
    let count = series.index(atOrAfter: playhead + 1)
    let isSmoothed = smoothing != nil && count >= Self.samplesToSmooth
    let raw = ChartLine(
      series: series, shape: .range, role: isSmoothed ? faint : role, name: label)
    guard isSmoothed else { return older + [raw] }
    let (part, values) = smoothedPart(name, series)
    let smooth = ChartLine(
      series: part, values: values, shape: .average, role: role, isInFront: true)
    return older + [raw, smooth]
  }

  /// What later generations superseded of a metric, to be drawn behind all else.
  func older(_ name: MetricName) -> [ChartLine] {
    (history.superseded[name] ?? []).map {
      var line = ChartLine(series: $0, shape: .range, role: .track, isMeasured: false)
      // Beyond the run's end too, where it had got further before.
      line.isForecast = playhead >= history.lastStep ?? 0
      return line
    }
  }

  /// Of fewer samples each can be seen by itself.
  private static let samplesToSmooth = 20

  /// The samples over which a smooth line is drawn, and the line: of an archived series only what
  /// the window shows.
  private func smoothedPart(
    _ name: MetricName, _ series: Series
  ) -> (series: Series, values: [Double]?) {
    guard series.isArchived, let smoothing else { return (series, smoothedValues(name, series)) }
    // What lies further back than this has no weight that could be seen.
    let memory = Int(16 / (1 - smoothing))
    let start = series.index(atOrAfter: window.steps.lowerBound)
    let end = series.index(atOrAfter: min(window.steps.upperBound, playhead + 1))
    guard end - start <= Self.mostSmoothedHere else { return (series, nil) }
    let first = max(0, min(start, end) - memory)
    let (steps, values) = series.samples(in: first..<end)
    let part = Series(steps: steps, values: values)
    return (part, smoothedValues(of: part, smoothing, start: first))
  }

  private static let mostSmoothedHere = 20_000

  private func smoothedValues(
    of series: Series, _ weight: Double, start: Int = 0
  ) -> [Double] {
    var made = SmoothedSeries(weight: weight, start: start)
    made.update(with: series)
    return made.values
  }

  /// The average of a metric, from the cache or made here. None where that would take long
  /// in each frame: of so many samples the means of the columns are smooth enough.
  private func smoothedValues(_ name: MetricName, _ series: Series) -> [Double]? {
    guard let smoothing else { return nil }
    if let known = smoothed[name], known.values.count == series.count { return known.values }
    guard series.count <= Self.mostSmoothedHere else { return nil }
    return smoothedValues(of: series, smoothing)
  }

  /// What a pane says before there is anything to draw.
  func drawWaiting(into grid: inout CellGrid, _ rect: Rect, _ text: String) {
    guard rect.columns >= text.count else { return }
    let line = Rect(
      column: rect.column, row: rect.row + rect.rows / 2, columns: rect.columns,
      rows: min(1, rect.rows))
    guard !line.isEmpty else { return }
    grid.writeCentered(text, in: line, style: style(.faint))
  }
}

extension Span {
  /// Parts of a headline, the one to be left out last first.
  static func headline(_ parts: [String], _ role: Role) -> [Span] {
    var spans: [Span] = []
    for part in parts {
      if !spans.isEmpty { spans.append(Span(" · ", .faint)) }
      spans.append(Span(part, role))
    }
    return spans
  }
}

extension PaneContext {
  /// A table of metrics whose bars compare them with the largest.
  func gauges(_ named: [(name: String, metric: MetricName)], role: Role) -> GaugeTable {
    let values = named.map { value($0.metric) ?? .nan }
    let largest = values.filter(\.isFinite).max() ?? 0
    let rows = zip(named, values).map { named, value in
      GaugeTable.Row(
        name: named.name, share: largest > 0 ? value / largest : 0,
        text: RoundNumber.twoDigits(value), role: value.isFinite ? nil : .trouble)
    }
    return GaugeTable(rows: rows, role: role)
  }
}
