import Signals
package import Telemetry

extension Comparison {
  /// The comparison as lines of a table, a column a run.
  package func text(metrics: [MetricName]) -> [String] {
    var table = Table()
    let isOne = groups.count == 1
    let headings = seedGroups.map { isOne ? "mean ± deviation" : $0.name }
    table.add([""] + runs.map(\.name) + headings)
    table.add(["steps"] + runs.map(Self.steps))
    table.add(["state"] + runs.map(\.history.state.word))
    add(settingsTo: &table)
    addOutcomes("final", of: metrics, to: &table) {
      NumberText.compact($0.last, digits: 5)
    } spread: {
      $0.last
    }
    let losses = metrics.filter { MetricCatalog.family(of: $0)?.unit == "nats/token" }
    addOutcomes("lowest", of: losses, to: &table) {
      $0.lowest.map { "\(NumberText.compact($0.value, digits: 5)) at \($0.step)" } ?? "none finite"
    } spread: {
      $0.lowest?.value
    }
    let peaks = metrics.filter { MetricCatalog.family(of: $0)?.reduction == .maximum }
    addOutcomes("highest", of: peaks, to: &table) {
      $0.highest.map { "\(NumberText.compact($0.value, digits: 5)) at \($0.step)" } ?? "none finite"
    } spread: {
      $0.highest?.value
    }
    return table.lines + changeLines
  }

  private static func steps(_ run: Run) -> String {
    let total = run.history.description?.totalSteps.map { "/\(NumberText.grouped($0))" } ?? ""
    return NumberText.grouped(run.steps) + total
  }

  private func add(settingsTo table: inout Table) {
    let differences = differences
    table.addHeading(differences.isEmpty ? "the settings are the same" : "settings that differ")
    for (option, values) in differences {
      table.add(["  \(option)"] + values.map { $0 ?? "–" })
    }
  }

  private func addOutcomes(
    _ heading: String, of metrics: [MetricName], to table: inout Table,
    text: (Outcome) -> String, spread number: (Outcome) -> Double?
  ) {
    guard !metrics.isEmpty else { return }
    table.addHeading(heading)
    for metric in metrics {
      let outcomes = outcomes(of: metric)
      var cells = ["  \(metric)"] + outcomes.map { $0.map(text) ?? "–" }
      cells += seedGroups.map { group in
        let numbers = group.members.compactMap { outcomes[$0].flatMap(number) }
        guard let spread = Spread(numbers) else { return "–" }
        let mean = NumberText.compact(spread.mean, digits: 5)
        return "\(mean) ± \(NumberText.compact(spread.deviation, digits: 2))"
      }
      table.add(cells)
    }
  }

  private var changeLines: [String] {
    let lines = runs.flatMap { run in
      run.changes.map { "  \(run.name) step \($0.step): \($0.text), by \($0.by)" }
    }
    return lines.isEmpty ? [] : ["changed while they ran"] + lines
  }
}

/// Cells in columns as wide as their widest.
private struct Table {
  private enum Row {
    case cells([String])
    case heading(String)
  }

  private var rows: [Row] = []

  mutating func add(_ cells: [String]) { rows.append(.cells(cells)) }
  mutating func addHeading(_ text: String) { rows.append(.heading(text)) }

  var lines: [String] {
    var widths: [Int] = []
    for case .cells(let cells) in rows {
      for (column, cell) in cells.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      switch row {
      case .heading(let text): return text
      case .cells(let cells):
        let padded = zip(cells, widths).map { cell, width in
          cell + String(repeating: " ", count: width - cell.count)
        }
        let line = padded.joined(separator: "  ")
        let last = line.utf8.lastIndex { $0 != UInt8(ascii: " ") }
        return last.map { String(line[...$0]) } ?? ""
      }
    }
  }
}
