import Screen
import Signals
import Telemetry

/// The line on top: what runs, how far it is, the loss, how it goes.
///
/// Step and loss stay at every width that holds a number; the rest comes as there is room.
struct Header {
  private let state: DashboardState
  private let numbers: RunNumbers

  init(_ state: DashboardState) {
    self.state = state
    numbers = RunNumbers(state)
  }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    guard !rect.isEmpty else { return }
    let theme = state.appearance.theme
    grid.fill(rect.top(1), style: theme.style(.header))
    guard rect.columns >= 38 else {
      drawSmall(on: &grid, in: rect)
      return
    }
    let margin = rect.columns < 60 ? 0 : 1
    let (left, right, spare) = segments(fitting: rect.columns - 2 * margin)
    var point = rect.origin.offset(columns: margin)
    for (index, segment) in left.enumerated() {
      let gap = index == 0 ? 0 : segment.gap
      point.column += gap
      point.column = segment.line.draw(on: &grid, at: point, theme: theme, surface: .header)
      guard segment.hasGauge, spare >= 8 else { continue }
      point.column = drawGauge(on: &grid, at: point.offset(columns: 2), columns: min(spare - 2, 24))
    }
    let width = right.reduce(0) { $0 + $1.columns } - (right.first?.gap ?? 0)
    point.column = rect.endColumn - margin - width
    for (index, segment) in right.enumerated() {
      point.column += index == 0 ? 0 : segment.gap
      point.column = segment.line.draw(on: &grid, at: point, theme: theme, surface: .header)
    }
  }

  private func drawGauge(on grid: inout CellGrid, at point: Point, columns: Int) -> Int {
    let theme = state.appearance.theme
    let symbols = state.appearance.symbols
    let filled = Int((numbers.progress ?? 0) * Double(columns))
    for column in 0..<columns {
      let isFilled = column < filled
      grid[point.column + column, point.row] = Cell(
        isFilled ? symbols.gaugeFilled : symbols.gaugeEmpty,
        style: theme.style(isFilled ? .loss : .track, on: .header))
    }
    return point.column + columns
  }

  /// Where a few numbers are all there is room for.
  private func drawSmall(on grid: inout CellGrid, in rect: Rect) {
    let theme = state.appearance.theme
    let step = "step \(NumberText.grouped(numbers.step))"
    let total = numbers.total.map { "/\(NumberText.grouped($0))" } ?? ""
    let loss = "loss \(numbers.lossText(digits: 3))"
    let lines: [[Span]]
    let width = rect.columns
    if width >= step.count + total.count + loss.count + 2 {
      lines = [[Span(step, .text), Span(total, .faint), Span("  " + loss, numbers.lossRole)]]
    } else if width >= step.count + loss.count + 1 {
      lines = [[Span(step, .text), Span(" " + loss, numbers.lossRole)]]
    } else if rect.rows > 1 {
      lines = [[Span(loss, numbers.lossRole)], [Span(step, .text), Span(total, .faint)]]
    } else {
      lines = [[Span(loss, numbers.lossRole)]]
    }
    for (row, spans) in zip(rect.row..<rect.endRow, lines) {
      let point = Point(column: rect.column, row: row)
      Line(spans).fitted(to: width).draw(on: &grid, at: point, theme: theme, surface: .header)
    }
  }
}

extension Header {
  /// A part of the line that is there as a whole or not at all.
  private struct Segment {
    var line: Line
    /// Those with a low rank stay longest.
    var rank: Int
    var gap = 3
    var isRight = false
    var hasGauge = false

    var columns: Int { line.columns + gap }
  }

  private func segments(
    fitting columns: Int
  ) -> (left: [Segment], right: [Segment], spare: Int) {
    let all = [title, name, family, model, step, loss, progress, eta, status, speed].compactMap {
      $0
    }
    var shown: [Segment] = []
    // The family is said of sizes that are there.
    for rank in 0...9 where rank < 9 || shown.contains(where: { $0.rank == 8 }) {
      let wider = all.filter { $0.rank == rank || shown.map(\.rank).contains($0.rank) }
      if Self.columns(of: wider) <= columns { shown = wider }
    }
    return (
      shown.filter { !$0.isRight }, shown.filter(\.isRight), columns - Self.columns(of: shown)
    )
  }

  private static func columns(of segments: [Segment]) -> Int {
    segments.reduce(0) { $0 + $1.columns } - (segments.first?.gap ?? 0)
  }

  private var step: Segment? {
    let total = numbers.total.map { "/\(NumberText.grouped($0))" } ?? ""
    return Segment(
      line: Line([
        Span("step \(NumberText.grouped(numbers.step))", .text), Span(total, .faint),
      ]), rank: 0)
  }

  private var loss: Segment? {
    // A run of another tool need not have any.
    guard numbers.loss != nil || !state.silentPanes.contains(.loss) else { return nil }
    let digits = state.size.columns >= 60 ? 5 : 3
    return Segment(
      line: Line([
        Span("loss ", .faint), Span(numbers.lossText(digits: digits), numbers.lossRole),
      ]), rank: 1, gap: 2)
  }

  private var status: Segment? {
    let word = state.isReplay ? replayStatus : runStatus
    return Segment(line: Line([word]), rank: 2, gap: 2, isRight: true)
  }

  private var runStatus: Span {
    guard state.frozenAt == nil else { return Span("❄ frozen", .warning) }
    switch state.history.state {
    case .starting: return Span("○ starting", .faint)
    case .running: return state.isPaused ? Span("‖ pausing", .warning) : Span("● running", .good)
    case .paused: return Span("‖ paused", .warning)
    case .finished: return Span("✓ finished", .good)
    case .stopped: return Span("■ stopped", .warning)
    case .diverged: return Span("✗ diverged", .trouble)
    case .failed: return Span("✗ failed", .trouble)
    }
  }

  private var replayStatus: Span {
    let word = (state.size.columns >= 60 ? "replay " : "") + state.speedText
    return state.playback?.isPlaying == true ? Span("▶ \(word)", .good) : Span("‖ \(word)", .faint)
  }

  private var name: Segment? {
    // A recording may have another name by now, or be a line of the run.
    let told = state.isReplay ? nil : state.history.description?.name
    let name = told ?? state.source.name
    return Segment(
      line: Line([Span(TextWidth.truncated(name, to: 24), .title)]), rank: 3, gap: 2)
  }

  private var progress: Segment? {
    guard let progress = numbers.progress else { return nil }
    let text = "\(Int(progress * 100))%"
    return Segment(line: Line([Span(text, .text)]), rank: 4, gap: 2, hasGauge: true)
  }

  private var eta: Segment? {
    guard let seconds = numbers.remainingSeconds else { return nil }
    let text = "eta \(NumberText.duration(seconds: seconds))"
    return Segment(line: Line([Span(text, .faint)]), rank: 5, gap: 2)
  }

  private var speed: Segment? {
    guard let speed = numbers.tokensPerSecond else { return nil }
    var text = "\(NumberText.compact(speed)) tok/s"
    if let share = numbers.flopsFraction, state.size.columns >= 130 {
      text += " · \(ThroughputPane.percentOfPeak(share)) of peak"
    }
    return Segment(line: Line([Span(text, .faint)]), rank: 6, gap: 2, isRight: true)
  }

  private var title: Segment? {
    Segment(line: Line([Span("SEISMO", .key)]), rank: 7)
  }

  /// The layers' family where the run says one, which it does where it is not the usual one.
  private var family: Segment? {
    guard let description = state.history.description, description.model != nil,
      let word = description.options["architecture"]
    else { return nil }
    return Segment(line: Line([Span(TextWidth.truncated(word, to: 12), .faint)]), rank: 9, gap: 1)
  }

  private var model: Segment? {
    guard let model = state.history.description?.model else { return nil }
    let experts = model.experts > 1 ? " E\(model.experts)" : ""
    let text =
      "d\(model.width) L\(model.layers) H\(model.heads)\(experts) · "
      + NumberText.compact(Double(model.parameters))
    return Segment(line: Line([Span(text, .faint)]), rank: 8, gap: 1)
  }
}
