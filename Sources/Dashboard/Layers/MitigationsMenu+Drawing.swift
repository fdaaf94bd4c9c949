package import Screen
import Signals
import Telemetry

extension MitigationsMenu {
  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let isRoomy = grid.size.rows >= 20
    var box = Box(
      on: &grid, state, columns: 94, rows: max(1, names.count) + (isRoomy ? 4 : 3),
      title: "mitigations", keys: keys(in: state))
    guard !names.isEmpty else {
      grid.write(
        "this run declares no settings", at: box.inside.origin, style: theme.style(.faint))
      return box
    }
    let details = box.inside.bottom(min(3, box.inside.rows - 1))
    let rows = box.inside.droppingBottom(details.rows + (isRoomy ? 1 : 0))
    box.drawList(list, of: names.count, on: &grid, in: rows, theme: theme) {
      grid, index, line, surface in
      guard let setting = state.listed(names[index]) else { return }
      draw(setting, on: &grid, in: line, surface, isChosen: index == list.index, state)
    }
    drawDetails(on: &grid, in: details, state)
    return box
  }

  private func keys(in state: DashboardState) -> [KeyHint] {
    if field != nil || doubted != nil {
      return [.init("⏎", "apply", .enter), .init("esc", "drop", .escape)]
    }
    let isNumber = if case .number = chosen(in: state)?.kind { true } else { false }
    let first: [KeyHint] =
      isNumber
      ? [.init("⏎", "edit", .enter), .init("space", "off/usual", .character(" "))]
      : [.init("⏎", "switch", .enter)]
    return first + [
      .init("u", "undo", .character("u")), .init("↑↓", "choose", .up, .down),
      .init("esc", "close", .escape),
    ]
  }

  private func draw(
    _ setting: SettingDeclaration, on grid: inout CellGrid, in rect: Rect, _ surface: Role,
    isChosen: Bool, _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    let isAllowed = setting.refusal == nil && state.commandRefusal == nil
    grid.write(
      setting.name, at: rect.origin.offset(columns: 1),
      style: theme.style(isAllowed ? .text : .faint, on: surface), maxColumns: rect.columns - 1)
    let valueColumn = min(19, max(16, rect.columns / 3))
    let values = rect.droppingLeft(valueColumn)
    drawValue(of: setting, on: &grid, in: values.left(14), surface, isChosen, state)
    let rest = values.droppingLeft(15)
    var remarks = remarks(on: setting, state)
    remarks[0].text = remarks[0].text.cutBetweenWords(to: rest.columns)
    Line(remarks).fitted(to: rest.columns).draw(
      on: &grid, at: rest.origin, theme: theme, surface: surface)
  }

  private func drawValue(
    of setting: SettingDeclaration, on grid: inout CellGrid, in rect: Rect, _ surface: Role,
    _ isChosen: Bool, _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    if isChosen, let field {
      grid.fill(rect, style: theme.style(.text))
      field.draw(on: &grid, in: rect, theme: theme)
      return
    }
    guard state.declaration(setting.name) != nil else {
      grid.write("–", at: rect.origin, style: theme.style(.faint, on: surface))
      return
    }
    let value = state.setting(setting.name) ?? setting.value
    let isAsked = state.requests.value(of: setting.name) != nil
    let text = isAsked ? "\(value) asked" : value.words
    grid.write(
      TextWidth.truncated(text, to: rect.columns), at: rect.origin,
      style: theme.style(isAsked ? .person : value.isOn ? .good : .faint, on: surface))
  }

  /// Beside the value: what it helps against, or what it usually is and what its last change did.
  private func remarks(on setting: SettingDeclaration, _ state: DashboardState) -> [Span] {
    if let refusal = setting.refusal { return [Span(refusal, .warning)] }
    if let reason = reasons[setting.name] { return [Span("helps: \(reason)", .warning)] }
    let effect = state.effect(of: setting.name).map { [Span("   \($0)", .person)] } ?? []
    return [Span(setting.usualRange, .faint)] + effect
  }

  /// What the chosen setting is for; then the change that is being made, what is wrong with it, or
  /// what the last one did.
  private func drawDetails(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard let setting = chosen(in: state) else { return }
    let theme = state.appearance.theme
    let news = news(of: setting, state)
    let purpose = Span(setting.purpose, .faint)
    let isPressing = field != nil || doubted != nil || complaint != nil
    func lines(_ spans: [Span]) -> [Span] {
      spans.flatMap { span in
        TextWidth.wrapped(span.text, to: rect.columns).map { Span($0, span.role) }
      }
    }
    // What is asked or wrong is never what is cut.
    let all = lines([purpose, news])
    let shown = isPressing && all.count > rect.rows ? lines([news]) : all
    for (row, span) in zip(rect.row..<rect.endRow, shown) {
      grid.write(
        span.text, at: Point(column: rect.column, row: row), style: theme.style(span.role))
    }
  }

  private func news(of setting: SettingDeclaration, _ state: DashboardState) -> Span {
    if let complaint = complaint ?? state.commandRefusal { return Span(complaint, .warning) }
    if let doubted, let change = SettingChange(setting.name, to: doubted, in: state) {
      return Span(change.question ?? change.words, .warning)
    }
    if let field {
      let typed = field.isSelected ? nil : setting.value(words: field.text)
      let change = typed.flatMap { SettingChange(setting.name, to: $0, in: state) }
      return change.map { Span($0.words, .person) }
        ?? Span("type a value: \(setting.kind.allowed)", .faint)
    }
    if let effect = state.effect(of: setting.name) { return Span("measured: \(effect)", .good) }
    return Span("a change is applied between two steps and can be undone", .faint)
  }
}

extension DashboardState {
  func listed(_ name: String) -> SettingDeclaration? {
    declaration(name) ?? listedSettings.first { $0.name == name }
  }

  /// What the last change of a setting did, once it has been measured.
  func effect(of setting: String) -> String? {
    let seen = history.events(upTo: playhead).filter { $0.name == setting }
    guard let index = seen.lastIndex(where: { $0.kind == .effect }) else { return nil }
    let isStale = seen[index...].contains { $0.kind == .set }
    return isStale ? nil : seen[index].text
  }
}

extension SettingValue {
  /// As a person reads it in a list: 0 is off.
  fileprivate var words: String {
    if case .number(let number) = self, number == 0 { return "0 (off)" }
    return description.replacing("e-0", with: "e-")
  }
}

extension SettingDeclaration {
  /// What runs use it at; of a setting that the catalogue does not know, what it may be.
  fileprivate var usualRange: String {
    if case .choice(let choices) = kind { return choices.joined(separator: " · ") }
    guard case .number(let lowest, let highest) = kind else { return "on · off" }
    // A trainer's own setting of the same name may take less than what is usual.
    let known = SettingCatalog.entry(name)?.usualRange
    guard let usual = known, usual.lowerBound >= lowest, usual.upperBound <= highest else {
      return "\(Self.words(lowest)) to \(Self.words(highest))"
    }
    return "usually \(Self.words(usual.lowerBound)) to \(Self.words(usual.upperBound))"
  }

  private static func words(_ number: Double) -> String {
    number >= 1000 ? NumberText.grouped(number) : SettingValue.number(number).description
  }
}
