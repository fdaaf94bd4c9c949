import Formats
import Signals
import Telemetry

extension RunReport {
  /// The report as one HTML file: charts, figures, events, settings, the run's description.
  package var html: String {
    let sections = [
      header, "<main>", charts, eventTable, settingTable, options, remarks, "</main>",
    ]
    return ReportPage.html(
      title: name, body: (sections + [footer]).filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private var header: String {
    let figures = figures.map { "<div><dt>\($0.0)</dt><dd>\(Markup.escaped($0.1))</dd></div>" }
    return """
      <header>
      <h1>\(Markup.escaped(name))</h1>
      <p>\(Markup.escaped(summary))</p>
      <dl class="figures">\(figures.joined())</dl>
      </header>
      """
  }

  private var figures: [(String, String)] {
    var figures: [(String, String)] = []
    func add(_ word: String, _ value: Double?) {
      if let value { figures.append((word, NumberText.compact(value, digits: 4))) }
    }
    let loss = history[MetricCatalog.loss]
    add("final loss", loss?.lastValue)
    add(
      "lowest loss",
      loss.map { $0.summary(of: 0..<Int.max).minimum }.flatMap { low in
        low.isFinite ? low : nil
      })
    add("held-out loss", history[MetricCatalog.evalLoss]?.lastValue)
    add(
      "largest attention logit",
      history[MetricCatalog.attentionLogitMax].map {
        $0.summary(of: 0..<Int.max).maximum
      })
    figures.append(("alarms", "\(history.events.count { $0.kind == .alarm })"))
    figures.append(("changes by hand", "\(history.events.count { $0.kind == .set })"))
    return figures
  }

  private var charts: String {
    let drawn = RunCharts(history).charts(metrics)
    guard !drawn.isEmpty else { return "<h2>Charts</h2><p>No metric has a sample.</p>" }
    return "<h2>Charts</h2>\n" + drawn.map(\.figure).joined(separator: "\n")
  }

  private var eventTable: String {
    guard !history.events.isEmpty else { return "" }
    let begin = history.wallTimes.isEmpty ? nil : history.wallTimes.value(atIndex: 0)
    let rows = history.events.map { event in
      let time = begin.map { event.wallTime - $0 }.map { seconds in
        event.wallTime > 0 && seconds > -1
          ? NumberText.duration(seconds: max(0, seconds)) : ""
      }
      let hint = event.hint.map { "<small>helps: \(Markup.escaped($0))</small>" } ?? ""
      return "<tr class=\"kind-\(event.kind.rawValue)\">"
        + "<td class=\"n\">\(NumberText.grouped(event.step))</td>"
        + "<td class=\"w\">\(Self.word(event.kind))</td>"
        + "<td>\(Markup.escaped(event.text))\(hint)</td>"
        + "<td class=\"w\">\(Markup.escaped(event.by))</td><td class=\"n\">\(time ?? "")</td></tr>"
    }
    return """
      <h2>What happened</h2>
      <div class="wide"><table>
      <tr><th>step</th><th>event</th><th></th><th>by</th><th>after</th></tr>
      \(rows.joined(separator: "\n"))
      </table></div>
      """
  }

  private static func word(_ kind: RunEvent.Kind) -> String {
    switch kind {
    case .set: "change"
    case .effect: "measured effect"
    default: kind.rawValue
    }
  }

  private var settingTable: String {
    guard !history.settings.isEmpty else { return "" }
    let rows = history.settings.map { setting in
      "<tr><td class=\"w\">\(Markup.escaped(setting.name))</td>"
        + "<td class=\"n\">\(Markup.escaped(setting.value.description))</td>"
        + "<td>\(Markup.escaped(setting.purpose))</td></tr>"
    }
    return """
      <h2>Settings at the end</h2>
      <div class="wide"><table>
      \(rows.joined(separator: "\n"))
      </table></div>
      """
  }

  private var options: String {
    guard let description = history.description else { return "" }
    var facts = description.environment.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    if let model = description.model {
      facts.insert(("parameters", NumberText.grouped(model.parameters)), at: 0)
      facts.insert(("context, batch", "\(model.context), \(model.batch)"), at: 0)
      facts.insert(("model", model.words), at: 0)
    }
    let options = description.options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return list("How it was started", options) + list("The run", facts)
  }

  private func list(_ heading: String, _ entries: [(String, String)]) -> String {
    guard !entries.isEmpty else { return "" }
    let lines = entries.map { key, value in
      "<div><dt>\(Markup.escaped(key))</dt><dd>\(Markup.escaped(value))</dd></div>"
    }
    return "<h2>\(heading)</h2>\n<dl class=\"two\">\(lines.joined(separator: "\n"))</dl>\n"
  }

  /// What the reader could not read.
  private var remarks: String {
    guard !history.damage.isEmpty else { return "" }
    let items = history.damage.map { "<li>\(Markup.escaped($0.line))</li>" }
    return "<h2>Damage</h2><ul>\(items.joined())</ul>"
  }

  private var footer: String {
    let version =
      history.description?.environment[.version].map { " \(Markup.escaped($0))" } ?? ""
    return "<footer>Written by Seismo\(version). Lines are debiased averages, the bands behind "
      + "them reach from the lowest sample to the highest. Everything is in this file.</footer>"
  }
}

extension ChartSheet.Chart {
  /// The chart by itself, with what its cursor reads.
  var figure: String {
    """
    <figure data-first="\(steps.lowerBound)" data-last="\(steps.upperBound)">
    <svg class="seismo" role="img" \
    viewBox="0 0 \(Int(ChartFrame.width)) \(Markup.number(height))">
    <title>\(Markup.escaped(title))</title>
    \(elements)
    </svg>
    <div class="readout"></div>
    <script type="application/json">\(Markup.scriptText(numbers))</script>
    </figure>
    """
  }

  var steps: ClosedRange<Int> {
    switch self {
    case .lines(let chart): chart.steps
    case .heat(let chart): chart.steps
    }
  }

  /// The lines' points as JSON.
  private var numbers: String {
    guard case .lines(let chart) = self else { return "[]" }
    let lines = chart.lines.map { line in
      let label = line.label.isEmpty ? chart.title : line.label
      let points = line.points.filter { Float($0.value).isFinite }
      let steps = points.map { "\($0.step)" }.joined(separator: ",")
      let values = points.map { JSONLines.number(Double(Float($0.value)), isSingle: true) }
        .joined(separator: ",")
      return "{\"label\":\(JSONLines.quoted(label)),\"steps\":[\(steps)],\"values\":[\(values)]}"
    }
    return "[\(lines.joined(separator: ","))]"
  }
}
