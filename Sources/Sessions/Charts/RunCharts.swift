package import Signals
package import Telemetry

/// Which charts a run makes, and what is on each.
package struct RunCharts {
  private let history: RunHistory
  private let marks: [PlotMark]
  private let steps: ClosedRange<Int>

  /// More lines than this cannot be told apart: then colour tells the value.
  private static let mostLines = 8
  /// What is a maximum already is to be seen where it was.
  static func smoothing(_ reduction: MetricReduction?) -> Double? {
    switch reduction {
    case .last: nil
    case .maximum, nil: 0.9
    case .mean: 0.97
    }
  }

  package init(_ history: RunHistory) {
    self.history = history
    marks = history.events.compactMap(PlotMark.init)
    let firsts =
      history.series.values.compactMap(\.firstStep) + [history.firstStep].compactMap(\.self)
    let lasts =
      history.series.values.compactMap(\.lastStep)
      + [history.lastStep, history.lastSupersededStep].compactMap(\.self)
    let first = firsts.min() ?? 0
    steps = first...max(first, lasts.max() ?? 0)
  }

  /// The metrics that tell a run's story; of a run that has none of them, the first few it has.
  package static func story(of history: RunHistory) -> [MetricName] {
    let stems = ["loss", "loss/eval", "lr", "attention_logit_max", "grad_norm", "expert_load"]
    let story = history.names.filter { name in
      MetricCatalog.family(of: name).map { stems.contains($0.stem) } ?? false
    }
    return story.isEmpty ? Array(history.names.prefix(8)) : story
  }

  /// A sheet with a chart for each kind of the metrics named.
  package func sheet(_ names: [MetricName], title: String, subtitle: String = "") -> ChartSheet {
    ChartSheet(title: title, subtitle: subtitle, charts: charts(names))
  }

  package func charts(_ names: [MetricName]) -> [ChartSheet.Chart] {
    var order: [String] = []
    var groups: [String: [MetricName]] = [:]
    let places = names.filter { history[$0] != nil }.map(Place.init).sorted()
    for name in places.map(\.name) {
      let key = Self.group(of: name)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(name)
    }
    return order.compactMap { key in groups[key].map { chart($0) } }
  }

  /// The table's order, layers and experts by number.
  private struct Place: Comparable {
    let name: MetricName
    private let line: Int
    private let indices: [Int]

    init(_ name: MetricName) {
      self.name = name
      let family = MetricCatalog.family(of: name)
      line = family.flatMap { MetricCatalog.place(ofPattern: $0.pattern) } ?? .max
      indices = MetricCatalog.indices(of: name)
    }

    static func < (one: Place, other: Place) -> Bool {
      if one.line != other.line { return one.line < other.line }
      if one.indices != other.indices {
        return one.indices.lexicographicallyPrecedes(other.indices)
      }
      return one.name < other.name
    }
  }

  /// Metrics of one group share a chart: a quantity's layers, a layer's experts, the two losses.
  private static func group(of name: MetricName) -> String {
    guard let family = MetricCatalog.family(of: name) else { return "name " + name.path }
    if family.stem == "loss/eval" { return "loss" }
    let indices = MetricCatalog.indices(of: name)
    return indices.count == 2 ? "\(family.stem)/\(indices[0])" : family.stem
  }

  private func chart(_ names: [MetricName]) -> ChartSheet.Chart {
    let hasTwoIndices = names.allSatisfy { MetricCatalog.indices(of: $0).count == 2 }
    return names.count > Self.mostLines || (hasTwoIndices && names.count > 1)
      ? .heat(heat(names, hasTwoIndices: hasTwoIndices)) : .lines(lines(names))
  }

  private func unit(of name: MetricName) -> String {
    history.description?.unit(of: name) ?? MetricCatalog.family(of: name)?.unit ?? ""
  }

  // Lines.

  private func lines(_ names: [MetricName]) -> VectorChart {
    let family = MetricCatalog.family(of: names[0])
    let kind = AxisScale.kind(of: names.compactMap { history[$0] }, family)
    var chart = VectorChart(
      title: title(names), unit: unit(of: names[0]), meaning: family?.meaning ?? "",
      steps: steps,
      lines: names.enumerated().compactMap { line($1, hue: $0, of: names, kind: kind) })
    chart.marks = marks
    chart.kind = kind
    chart.figure = figure(names[0])
    if family?.stem == "attention_logit_max" { chart.levels = [(1e4, "1e4: diverging")] }
    return chart
  }

  private func title(_ names: [MetricName]) -> String {
    guard names.count > 1, let family = MetricCatalog.family(of: names[0]) else {
      return names[0].path
    }
    let isOne = names.contains { $0.path == family.stem }
    return isOne ? family.stem : "\(family.stem), each"
  }

  private func figure(_ name: MetricName) -> String {
    guard let series = history[name], let last = series.lastValue, let step = series.lastStep else {
      return ""
    }
    return "\(NumberText.compact(last, digits: 4)) at step \(NumberText.grouped(step))"
  }

  private func line(
    _ name: MetricName, hue: Int, of names: [MetricName], kind: AxisScale.Kind
  ) -> PlotLine? {
    guard let series = history[name] else { return nil }
    let reduction = MetricCatalog.family(of: name)?.reduction
    let making = LineMaking(
      steps: steps, smoothing: Self.smoothing(reduction),
      isLogarithmic: kind == .logarithmic)
    var line = making.line(
      series, label: names.count > 1 ? label(name) : "", hue: hue % Palette.lines.count)
    line.superseded = (history.superseded[name] ?? []).map(making.faint)
    if names.count > 2 {
      line.isStrong = hue == 0
      // Many envelopes over each other hide the lines: the first one's is enough.
      if hue > 0 { line.envelope = [] }
    }
    return line
  }

  private func label(_ name: MetricName) -> String {
    let words = MetricCatalog.variableWords(of: name)
    guard !words.isEmpty else {
      switch name {
      case MetricCatalog.loss: return "training"
      case MetricCatalog.evalLoss: return "held-out"
      default: return "largest of all"
      }
    }
    return words.allSatisfy(\.isNumber) ? "layer \(words)" : words
  }

  // Heat.

  private func heat(_ names: [MetricName], hasTwoIndices: Bool) -> HeatChart {
    let family = MetricCatalog.family(of: names[0])
    let layer = MetricCatalog.indices(of: names[0]).first ?? 0
    let even = 1 / Double(names.count)
    let isLoad = family?.stem == "expert_load"
    let isPerHead = family?.stem == "attention_logit_max"
    let stem = family?.stem ?? names[0].path
    var chart = HeatChart(
      title: hasTwoIndices ? "\(stem), layer \(layer)" : stem,
      unit: hasTwoIndices ? "\(isPerHead ? "heads" : "experts") downwards" : unit(of: names[0]),
      meaning: family?.meaning ?? "",
      steps: steps,
      rows: names.map { row($0, hasTwoIndices: hasTwoIndices, even: isLoad ? even : nil) })
    if isLoad {
      chart.meaning = "share of the layer's assignments"
      chart.colours = .around(even)
    }
    chart.marks = marks
    return chart
  }

  /// Of what a column covers its colour shows the largest, or the farthest from what is even.
  private func row(
    _ name: MetricName, hasTwoIndices: Bool, even: Double?
  ) -> HeatChart.Row {
    let making = LineMaking(steps: steps, columns: HeatChart.columns)
    let columns = history[name]?.columns(edges: making.edges) ?? []
    let values = columns.map { even.map($0.farthest(from:)) ?? $0.largest }
    let label =
      hasTwoIndices
      ? "\(MetricCatalog.indices(of: name).last ?? 0)" : MetricCatalog.variableWords(of: name)
    return HeatChart.Row(label: label, values: Self.filled(values))
  }

  /// Columns between two samples of a metric that is measured rarely show the one before.
  private static func filled(_ values: [Double]) -> [Double] {
    var last = Double.nan
    return values.map { value in
      if value.isFinite { last = value }
      return last
    }
  }
}

extension ColumnSummary {
  /// NaN where no sample is finite.
  fileprivate var largest: Double { finiteCount > 0 ? maximum : .nan }

  fileprivate func farthest(from middle: Double) -> Double {
    guard finiteCount > 0 else { return .nan }
    return maximum - middle >= middle - minimum ? maximum : minimum
  }
}
