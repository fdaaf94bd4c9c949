import Screen
import Signals
import Telemetry

/// One small chart of the metrics' pane: a metric, or those of a family that differ in layer, expert
/// or tensor.
struct MetricTile: Sendable, Equatable {
  let title: String
  /// The same without layers and experts, where there is little room.
  private let stem: String
  let metrics: [MetricName]

  /// What a person looks at first.
  private static let first = [
    MetricCatalog.loss, MetricCatalog.evalLoss, MetricCatalog.learningRate,
    MetricCatalog.attentionLogitMax, MetricCatalog.gradNorm,
  ]

  /// The metrics that matter first, then in the order of the table, families folded, then those
  /// that only the run knows.
  static func folded(_ names: [MetricName]) -> [MetricTile] {
    var families: [String: [MetricName]] = [:]
    var others: [String: [NumberedName]] = [:]
    for name in names {
      if let family = MetricCatalog.family(of: name) {
        families[family.pattern, default: []].append(name)
      } else {
        let numbered = NumberedName(name)
        others[numbered.pattern, default: []].append(numbered)
      }
    }
    func rank(_ pattern: String) -> Int {
      if let place = first.firstIndex(where: { $0.path == pattern }) { return place - first.count }
      return MetricCatalog.place(ofPattern: pattern) ?? MetricCatalog.families.count
    }
    let found =
      families.map { (key: $0.key, tiles: [MetricTile(family: $0.value)]) }
      + others.map { (key: $0.key, tiles: tiles(of: $0.value)) }
    return found.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }.flatMap(\.tiles)
  }

  /// Names that only the run knows and that differ in a number are one from four on: `acc_top1` and
  /// `acc_top5` are two things, the layers of a network are one.
  private static func tiles(of metrics: [NumberedName]) -> [MetricTile] {
    let numbered = metrics.sorted()
    guard metrics.count >= 4 else { return numbered.map { MetricTile($0.name) } }
    return [MetricTile(numbered)]
  }

  private init(_ numbered: [NumberedName]) {
    title = NumberedName.span(of: numbered)
    (stem, metrics) = (title, numbered.map(\.name))
  }

  init(_ name: MetricName) {
    (title, stem, metrics) = (name.path, name.path, [name])
  }

  private init(family metrics: [MetricName]) {
    let family = metrics.count > 1 ? MetricCatalog.family(of: metrics[0]) : nil
    title = family.map { "\($0.stem) \(Self.span(of: metrics, $0))" } ?? metrics[0].path
    stem = family?.stem ?? title
    self.metrics = metrics
  }

  /// From which to which layer and expert, or how many tensors: `L0–L3 E0–E7`.
  private static func span(of metrics: [MetricName], _ family: MetricFamily) -> String {
    let letters = family.pattern.dropFirst(family.stem.count).split(separator: "/")
    let numbers = metrics.map { MetricCatalog.indices(of: $0) }
    guard letters.allSatisfy({ $0.count == 1 }), !letters.isEmpty,
      numbers.allSatisfy({ $0.count == letters.count })
    else {
      let word = letters.last.map { $0.count > 1 ? $0.lowercased() + "s" : "values" } ?? "values"
      return "\(metrics.count) \(word)"
    }
    return letters.enumerated().map { index, letter in
      let here = numbers.map { $0[index] }
      return "\(letter)\(here.min() ?? 0)–\(letter)\(here.max() ?? 0)"
    }.joined(separator: " ")
  }

  var unit: String { MetricCatalog.family(of: metrics[0])?.unit ?? "" }

  /// The value at the playhead, of several the smallest and the largest.
  func reading(
    _ context: PaneContext, digits: Int = 3
  ) -> (text: String, isFinite: Bool) {
    let values = metrics.map { context.value($0) ?? .nan }
    let finite = values.filter(\.isFinite)
    let isFinite = finite.count == values.count
    guard values.count > 1 else {
      return (NumberText.compact(values[0], digits: digits + 1), isFinite)
    }
    guard let least = finite.min(), let most = finite.max() else { return ("NaN", false) }
    let (low, high) = (
      NumberText.compact(least, digits: digits), NumberText.compact(most, digits: digits)
    )
    return ((low == high ? low : "\(low) … \(high)") + (isFinite ? "" : ", NaN"), isFinite)
  }

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    let isFinite = reading(context).isFinite
    let words = words(fitting: rect.columns, context)
    let taken = grid.writeRight(
      words.value, endColumn: rect.endColumn, row: rect.row,
      style: context.style(isFinite ? .text : .trouble), maxColumns: rect.columns)
    grid.write(
      TextWidth.truncated(words.title, to: rect.columns - taken - 1), at: rect.origin,
      style: context.style(.faint))
    chart(context).draw(into: &grid, rect.droppingTop(1), context)
  }

  /// Title and value side by side: units and digits go before the title is cut.
  private func words(
    fitting columns: Int, _ context: PaneContext
  ) -> (title: String, value: String) {
    let value = reading(context).text
    let counted = unit.isEmpty ? value : "\(value) \(unit)"
    let values = [counted, value, reading(context, digits: 2).text]
    let all = [title, stem].flatMap { title in values.map { (title: title, value: $0) } }
    return all.first {
      TextWidth.columns(of: $0.title) + 1 + TextWidth.columns(of: $0.value) <= columns
    } ?? (stem, values[2])
  }

  private func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = metrics.count == 1 ? lines(of: metrics[0], context) : familyLines(context)
    chart.overlaid = metrics.count == 1 ? metrics : []
    chart.clipsOutliers = true
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.gutter = 8
    chart.unit = unit
    chart.marks = context.marks(on: .metrics)
    // Side by side in dozens they would say the same in each.
    (chart.namesMarks, chart.numbersMarks) = (false, false)
    return chart
  }

  private func lines(of name: MetricName, _ context: PaneContext) -> [ChartLine] {
    guard let series = context.history[name] else { return [] }
    let hue = hue
    return MetricCatalog.family(of: name)?.reduction == .maximum
      ? context.older(name) + [ChartLine(series: series, shape: .range, role: hue.role, name: "")]
      : context.lines(name, role: hue.role, faint: hue.faint, label: "")
  }

  /// More lines than these cover one another in a small chart.
  private static let mostLines = 200

  /// The metrics that are drawn: all, or of very many every so many and those whose values at the
  /// playhead are the smallest and the largest.
  func drawn(_ context: PaneContext) -> [MetricName] {
    guard metrics.count > Self.mostLines else { return metrics }
    let finite = metrics.compactMap { name -> (name: MetricName, value: Double)? in
      guard let value = context.value(name), value.isFinite else { return nil }
      return (name, value)
    }
    let ends = [finite.min { $0.value < $1.value }, finite.max { $0.value < $1.value }]
    let every = (metrics.count + Self.mostLines - 1) / Self.mostLines
    let some = stride(from: metrics.count - 1, through: 0, by: -every).map { metrics[$0] }
    return ends.compactMap { $0?.name } + some.reversed()
  }

  /// All alike, the last one bright, as in the panes of layers.
  private func familyLines(_ context: PaneContext) -> [ChartLine] {
    drawn(context).compactMap { name in
      context.history[name].map { series in
        ChartLine(series: series, shape: .range, role: name == metrics.last ? hue.role : hue.faint)
      }
    }
  }

  /// A metric has the hue of the pane it belongs to.
  private var hue: (role: Role, faint: Role) {
    let stem = MetricCatalog.family(of: metrics[0])?.stem ?? metrics[0].path
    let hues: [(prefix: String, role: Role, faint: Role)] = [
      ("loss", .loss, .lossFaint), ("attention", .logits, .logitsFaint),
      ("lr", .learningRate, .learningRateFaint), ("expert", .experts, .expertsFaint),
      ("router", .experts, .expertsFaint), ("grad", .gradients, .gradientsFaint),
      ("clip", .gradients, .gradientsFaint), ("activation", .activations, .activationsFaint),
      ("log_z", .outputs, .outputsFaint), ("output", .outputs, .outputsFaint),
    ]
    let known = hues.first { stem.hasPrefix($0.prefix) }
    return known.map { ($0.role, $0.faint) } ?? (.throughput, .throughputFaint)
  }
}
