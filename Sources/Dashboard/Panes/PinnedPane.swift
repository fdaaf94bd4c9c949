import Screen
import Signals
import Telemetry

/// Metrics of a person's own choice as lines in one chart, named after the patterns they match.
enum PinnedPane {
  static func pane(_ id: PaneID, globs: String) -> Pane {
    Pane(
      id: id, title: globs, minimumRows: 4, weight: 2,
      explanation: """
        The metrics that match \(globs), each a line with its value at the cursor or at present; y \
        makes the axis logarithmic, s smooths. The command 'unpin \(globs)' takes the pane away.
        """,
      headline: { headline(names(matching: globs, in: $0.history).filter($0.has), $0) },
      draw: { draw(globs, on: &$0, in: $1, $2, id: id) })
  }

  /// More lines than these are not told apart.
  private static let roles: [Role] = [
    .loss, .learningRate, .experts, .throughput, .gradients, .logits, .activations, .outputs,
  ]

  static func names(matching globs: String, in history: RunHistory) -> [MetricName] {
    let patterns = globs.split(separator: ",").map { MetricGlob(String($0)) }
    return history.names.filter { name in patterns.contains { $0.matches(name) } }
  }

  /// The patterns of the families there are, and the names that stand alone.
  static func families(_ names: [MetricName]) -> [String] {
    let stems = Dictionary(grouping: names) { name in
      name.path.lastIndex(of: "/").map { String(name.path[..<$0]) } ?? ""
    }
    let globs = stems.filter { !$0.key.isEmpty && $0.value.count > 1 }.map { "\($0.key)/*" }
    return (globs + (stems[""] ?? []).map(\.path)).sorted()
  }

  private static func headline(_ names: [MetricName], _ context: PaneContext) -> [Span] {
    guard names.count <= 2 else {
      let hidden = names.count > roles.count ? ", \(roles.count) drawn" : ""
      return [Span("\(names.count) metrics\(hidden)", .faint)]
    }
    let values = names.compactMap { context.value($0) }.map { NumberText.compact($0, digits: 4) }
    return Span.headline(values, roles[0])
  }

  private static func draw(
    _ globs: String, on grid: inout CellGrid, in rect: Rect, _ context: PaneContext, id: PaneID
  ) {
    let names = Array(
      names(matching: globs, in: context.history).filter(context.has).prefix(roles.count))
    guard !names.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "no metric here matches '\(globs)'")
    }
    let legend = legend(of: names, fitting: rect, context)
    for (row, line) in zip(rect.row..<rect.endRow, legend) {
      line.draw(
        on: &grid, at: Point(column: rect.column, row: row), theme: context.theme)
    }
    chart(of: names, context, id: id).draw(into: &grid, rect.droppingTop(legend.count), context)
  }

  private static func chart(
    of names: [MetricName], _ context: PaneContext, id: PaneID
  ) -> LineChart {
    var chart = LineChart()
    for (name, (label, role)) in zip(names, zip(labels(of: names), roles)) {
      chart.lines += lines(name, label: label, role: role, isAlone: names.count == 1, context)
    }
    let units = Set(names.map { context.unit(of: $0) })
    chart.unit = units.count == 1 ? units.first ?? "" : ""
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = names
    chart.clipsOutliers = true
    chart.gutter = 8
    chart.role = roles[0]
    chart.marks = context.marks(on: id)
    return chart
  }

  /// A line among others is its smooth one alone.
  private static func lines(
    _ name: MetricName, label: String, role: Role, isAlone: Bool, _ context: PaneContext
  ) -> [ChartLine] {
    guard let series = context.history[name] else { return [] }
    guard MetricCatalog.family(of: name)?.reduction != .maximum else {
      return [ChartLine(series: series, shape: .range, role: role, name: label)]
    }
    let drawn = context.lines(name, role: role, faint: .lossFaint, label: label)
    guard !isAlone, var last = drawn.last else { return drawn }
    last.name = label
    last.shape = series.count < 100 ? .points : last.shape
    return [last]
  }

  /// What differs between the names: without the words that all of them begin with.
  static func labels(of names: [MetricName]) -> [String] {
    guard names.count > 1 else { return names.map(\.path) }
    let words = names.map { $0.path.split(separator: "/") }
    let shortest = words.map(\.count).min() ?? 1
    let common = (0..<shortest - 1).prefix { place in
      words.allSatisfy { $0[place] == words[0][place] }
    }.count
    return zip(names, words).map { name, words in
      let label = words.dropFirst(common).joined(separator: "/")
      // A number alone is the layer's or the expert's.
      let kind = MetricCatalog.family(of: name)?.parts.last.map(String.init) ?? ""
      return label.allSatisfy(\.isNumber) && ["L", "E"].contains(kind) ? kind + label : label
    }
  }

  /// Each line's colour, name and value, in as many rows as leave the chart its room.
  private static func legend(
    of names: [MetricName], fitting rect: Rect, _ context: PaneContext
  ) -> [Line] {
    guard names.count > 1, rect.rows >= 6, rect.columns >= 16 else { return [] }
    var lines: [Line] = [Line([])]
    for (name, (label, role)) in zip(names, zip(labels(of: names), roles)) {
      let value = context.reading(name).map { " \(NumberText.compact($0))" } ?? ""
      let entry = Span("━ \(label)\(value)", role)
      let gap = lines[lines.count - 1].spans.isEmpty ? [] : [Span("  ", .text)]
      let longer = Line(lines[lines.count - 1].spans + gap + [entry])
      if longer.columns <= rect.columns || gap.isEmpty {
        lines[lines.count - 1] = longer
      } else {
        lines.append(Line([entry]))
      }
    }
    return lines.prefix(max(1, rect.rows / 4)).map { $0.fitted(to: rect.columns) }
  }
}
