import Screen
import Signals
import Telemetry

/// What the list says of the chosen run below: tags, note, where it is from, what it takes on disk.
struct RunDetailLines {
  private let run: ListedRun
  private let state: DashboardState

  init(_ run: ListedRun, _ state: DashboardState) {
    self.run = run
    self.state = state
  }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    let theme = state.appearance.theme
    for (row, line) in zip(rect.row..<rect.endRow, lines) {
      let origin = Point(column: rect.column, row: row)
      let used = grid.write(
        TextWidth.padded(line.name, to: 8), at: origin, style: theme.style(.faint),
        maxColumns: rect.columns)
      let room = rect.columns - used
      grid.write(
        line.span.text.cutBetweenWords(to: room), at: origin.offset(columns: used),
        style: theme.style(line.span.role), maxColumns: room)
    }
  }

  private var lines: [(name: String, span: Span)] {
    if let flaw = run.details.flaw { return [("flaw", Span(flaw, .trouble)), ("disk", disk)] }
    if let line = run.details.line { return lines(of: line) }
    return [
      ("tags", tags), ("note", note), ("from", origin), ("disk", disk), ("differs", differences),
    ]
  }

  private func lines(of line: RunDetails.Origin) -> [(name: String, span: Span)] {
    let restoring = "'seismo sessions restore \(run.name)' makes it the run again"
    return [
      ("line", Span("left at step \(NumberText.grouped(line.leftAt)): \(restoring)", .text)),
      ("from", origin), ("differs", differences),
    ]
  }

  private var tags: Span {
    run.traits.tags.isEmpty
      ? Span("none: t gives some", .faint) : Span(run.traits.tags.joined(separator: "  "), .person)
  }

  private var note: Span {
    guard let last = run.traits.notes.last else { return Span("none: N writes one", .faint) }
    let others = run.traits.notes.count - 1
    return Span(last + (others > 0 ? " (and \(others) before)" : ""), .text)
  }

  private var origin: Span {
    let options = run.options
    let data = run.traits.environment[.data] ?? options["data"]
    let words = [
      options["preset"], shape, data.map { String($0.prefix { $0 != "," }) },
      options["seed"].map { "seed \($0)" },
      run.traits.environment[.parent].map { "branch of \($0)" }, ago,
    ]
    return Span(words.compactMap(\.self).joined(separator: " · "), .faint)
  }

  /// `llama d64 L4 H2 E8`, as the header has it.
  private var shape: String? {
    let letters = [("d", "width"), ("L", "layers"), ("H", "heads"), ("E", "experts")]
    let words = letters.compactMap { letter, option in
      run.options[option].flatMap { $0 == "0" ? nil : letter + $0 }
    }
    guard !words.isEmpty else { return nil }
    return ([run.options["architecture"]].compactMap(\.self) + words).joined(separator: " ")
  }

  private var ago: String? {
    guard run.details.lastWritten > 0 else { return nil }
    let seconds = max(0, state.now - run.details.lastWritten)
    let units = [(86_400.0, "day"), (3600, "hour"), (60, "minute")]
    guard let (unit, name) = units.first(where: { seconds >= $0.0 }) else { return "just now" }
    let count = Int(seconds / unit)
    return "\(count) \(name)\(count == 1 ? "" : "s") ago"
  }

  private var disk: Span {
    let count = run.details.checkpoints
    let checkpoints =
      count == 0 ? "no checkpoints" : "\(count) checkpoint\(count == 1 ? "" : "s")"
    let size = NumberText.bytes(Double(run.details.bytes))
    return Span("\(size) · \(checkpoints) · \(run.details.folder)/\(run.name).seismo", .faint)
  }

  /// The options in which the run differs from the one on screen.
  private var differences: Span {
    guard !run.details.isPresent else { return Span("this run is on the screen", .faint) }
    let own = state.history.description?.options ?? [:]
    guard !own.isEmpty, !run.options.isEmpty else {
      return Span("its options are not known", .faint)
    }
    let names = Set(own.keys).union(run.options.keys).sorted()
    let words = names.filter { own[$0] != run.options[$0] }.map { name in
      "\(name) \(run.options[name] ?? "–") (here \(own[name] ?? "–"))"
    }
    return Span(
      words.isEmpty ? "in nothing from the run on screen" : words.joined(separator: " · "), .faint)
  }
}
