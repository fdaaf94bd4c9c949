import Screen
import Signals
import Telemetry

/// A column of the list of runs.
enum RunColumn: Sendable, Hashable, CaseIterable {
  case sign, name, course, heldOut, best, bestStep, steps, rate, happened

  struct Place: Equatable {
    let column: RunColumn
    /// In the first row of the list.
    var rect: Rect
  }

  /// What stands above it, in at most so many columns.
  func title(fitting columns: Int) -> String {
    self == .course && columns < 15 ? "loss" : title
  }

  private var title: String {
    switch self {
    case .sign: ""
    case .name: "name"
    case .course: "loss over steps"
    case .heldOut: "held-out"
    case .best: "best"
    case .bestStep: "at step"
    case .steps: "steps"
    case .rate: "rate"
    case .happened: "happened"
    }
  }

  var isNumeric: Bool {
    switch self {
    case .heldOut, .best, .bestStep, .steps, .rate: true
    case .sign, .name, .course, .happened: false
    }
  }

  /// The columns it takes at least.
  private var leastWidth: Int {
    switch self {
    case .sign: 2
    case .name: 12
    case .course: 12
    case .heldOut, .happened: 8
    case .best, .rate: 6
    case .bestStep, .steps: 7
    }
  }

  /// The order in which they are given room.
  private static let byWorth: [RunColumn] = [
    .sign, .name, .heldOut, .steps, .course, .best, .happened, .rate, .bestStep,
  ]

  /// As many columns as fit, with two cells between them. What is left over goes to the names up to
  /// the longest, then to the lines and what happened.
  static func places(in rect: Rect, of runs: [ListedRun], home: String?) -> [Place] {
    var shown: Set<RunColumn> = []
    var room = rect.columns
    for column in byWorth {
      let width = column.leastWidth + (shown.isEmpty ? 0 : column.gap)
      guard width <= room || shown.count < 2 else { continue }
      shown.insert(column)
      room -= width
    }
    var extra: [RunColumn: Int] = [:]
    func give(_ column: RunColumn, upTo width: Int) {
      guard shown.contains(column), room > 0 else { return }
      let more = min(room, max(0, width - column.leastWidth - (extra[column] ?? 0)))
      extra[column, default: 0] += more
      room -= more
    }
    let names = runs.map { TextWidth.columns(of: $0.name(from: home)) }
    give(.name, upTo: min(names.max() ?? 0, 22))
    give(.course, upTo: 24)
    give(.happened, upTo: 12)
    give(.name, upTo: min(names.max() ?? 0, 40))
    give(.course, upTo: 48)
    give(.happened, upTo: 24)
    var column = rect.column
    return allCases.filter(shown.contains).map { shownColumn in
      column += shownColumn == .sign ? 0 : shownColumn.gap
      let width = shownColumn.leastWidth + (extra[shownColumn] ?? 0)
      let place = Place(
        column: shownColumn,
        rect: Rect(column: column, row: rect.row, columns: width, rows: min(1, rect.rows))
          .intersection(Rect(column: rect.column, row: rect.row, columns: rect.columns, rows: 1)))
      column += width
      return place
    }
  }

  private var gap: Int { self == .name || self == .sign ? 1 : 2 }

  /// What stands in a column of text or numbers.
  func span(of run: ListedRun, home: String?) -> Span {
    let span = fullSpan(of: run, home: home)
    return run.isLine ? Span(span.text, .track) : span
  }

  private func fullSpan(of run: ListedRun, home: String?) -> Span {
    let details = run.details
    let isKnown = details.standing != .unread && details.flaw == nil
    guard isKnown || self == .name else { return Span("", .faint) }
    switch self {
    case .name:
      let role: Role = !isKnown ? .faint : details.isPresent ? .key : .text
      return Span(run.name(from: home), role)
    case .heldOut: return Self.loss(details.heldOut?.value, .loss)
    case .best: return Self.loss(details.best?.value, .faint)
    case .bestStep:
      return Span(details.best.map { Self.count($0.step) } ?? "", .faint)
    case .steps: return Span(Self.count(run.steps), .text)
    case .rate:
      return Span(details.rate.map { Self.rate($0) } ?? "", .learningRate)
    case .sign, .course, .happened: return Span("", .text)
    }
  }

  private static func loss(_ value: Double?, _ role: Role) -> Span {
    guard let value else { return Span("–", .faint) }
    return Span(NumberText.compact(value, digits: 4), value.isFinite ? role : .trouble)
  }

  private static func count(_ steps: Int) -> String {
    steps < 1_000_000 ? NumberText.grouped(steps) : NumberText.compact(Double(steps))
  }

  /// As one types it: `3e-4`, `0.005`, `1000`.
  private static func rate(_ value: Double) -> String {
    "\(value)".replacing("e-0", with: "e-").replacing(".0e", with: "e")
      .replacing(/\.0$/, with: "")
  }
}
