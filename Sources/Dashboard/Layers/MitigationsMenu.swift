import Screen
import Signals
import Telemetry

/// The settings of the running model: value, range, what the chosen one is for, and what changing it
/// did. It closes with a change, so that the charts show what comes of it.
package struct MitigationsMenu: Sendable, Hashable {
  private(set) var list = ListCursor()
  /// What helps against the alarms that are still raised comes first, as it was when the menu
  /// opened.
  private let names: [String]
  /// The alarm that a setting helps against, in a few words.
  private let reasons: [String: String]
  /// The value being typed for the chosen setting.
  private var field: TextField?
  private var complaint: String?
  /// The value that enter applies when it is pressed again.
  private var doubted: SettingValue?

  package init(_ state: DashboardState) {
    let listed = state.listedSettings
    let known = state.history.settings.map(\.name)
    let alarms = EventLog(state.history.events(upTo: state.playhead)).raised
    var reasons: [String: String] = [:]
    for alarm in alarms.reversed() {
      guard let name = alarm.helpingSetting(among: known), reasons[name] == nil,
        state.setting(name) != .flag(true)
      else { continue }
      reasons[name] = alarm.gist
    }
    self.reasons = reasons
    let names = listed.map(\.name)
    self.names = names.filter { reasons[$0] != nil } + names.filter { reasons[$0] == nil }
  }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    if field != nil { return edit(key, in: state) }
    let moved: Key? =
      switch key {
      case .character("j"), .tab: .down
      case .character("k"), .backtab: .up
      default: nil
      }
    if list.handle(moved ?? key, count: names.count) {
      forget()
      return .consumed
    }
    switch key {
    case .escape where doubted != nil:
      forget()
      return .consumed
    case .escape, .character("q"), .character("m"): return .closed
    case .enter: return change(in: state)
    case .character(" "): return toggle(in: state)
    case .character("u"): return .closed { $0.run(named: "undo") }
    case .control: return .ignored
    default: return .consumed
    }
  }

  private mutating func forget() {
    (field, complaint, doubted) = (nil, nil, nil)
  }

  private func chosen(in state: DashboardState) -> SettingDeclaration? {
    names.indices.contains(list.index) ? state.listed(names[list.index]) : nil
  }

  /// Enter: a flag changes at once, a number can be typed.
  private mutating func change(in state: DashboardState) -> LayerAnswer {
    guard let setting = chosen(in: state), isAllowed(setting, state) else { return .consumed }
    if let doubted { return ask(setting.name, doubted, in: state) }
    guard case .number = setting.kind else { return toggle(in: state) }
    field = TextField(present: "\(state.setting(setting.name) ?? setting.value)")
    return .consumed
  }

  /// Space: off where it is on, its usual value where it is off.
  private mutating func toggle(in state: DashboardState) -> LayerAnswer {
    guard let setting = chosen(in: state), isAllowed(setting, state) else { return .consumed }
    return ask(setting.name, setting.toggled(in: state), in: state)
  }

  private mutating func isAllowed(_ setting: SettingDeclaration, _ state: DashboardState) -> Bool {
    complaint = setting.refusal ?? state.commandRefusal
    return complaint == nil
  }

  private mutating func edit(_ key: Key, in state: DashboardState) -> LayerAnswer {
    guard var editing = field, let setting = chosen(in: state) else {
      field = nil
      return .consumed
    }
    switch key {
    case .escape:
      forget()
      return .consumed
    case .enter:
      guard let value = setting.value(words: editing.text) else {
        complaint = "'\(editing.text)' is no value: give \(setting.kind.allowed)"
        return .consumed
      }
      return ask(setting.name, value, in: state)
    default:
      guard editing.handle(key) else { return .ignored }
      (field, complaint, doubted) = (editing, nil, nil)
      return .consumed
    }
  }

  /// A change of unusual size is asked about first.
  private mutating func ask(
    _ name: String, _ value: SettingValue, in state: DashboardState
  ) -> LayerAnswer {
    complaint = nil
    let isDoubtful = SettingChange(name, to: value, in: state)?.doubt != nil
    guard !isDoubtful || doubted == value else {
      doubted = value
      return .consumed
    }
    return .closed { $0.ask(.set(name: name, value: value)) }
  }
}

extension SettingDeclaration {
  /// What space makes of it: off where it is on, its usual value where it is off.
  fileprivate func toggled(in state: DashboardState) -> SettingValue {
    let isOn = (state.setting(name) ?? value).isOn
    switch kind {
    case .flag: return .flag(!isOn)
    case .choice(let choices):
      let present = "\(state.setting(name) ?? value)"
      let next = (choices.firstIndex(of: present) ?? -1) + 1
      return .word(choices.isEmpty ? present : choices[next % choices.count])
    case .number(let lowest, _):
      if name == SettingCatalog.learningRateMultiplier { return .number(1) }
      if isOn, lowest <= 0 { return .number(0) }
      return SettingCatalog.entry(name)?.usual ?? .number(lowest)
    }
  }
}

extension RunEvent {
  /// What an alarm is about, without its numbers in brackets and what it says on them.
  fileprivate var gist: String {
    let head = text.prefix { $0 != ":" && $0 != "(" && $0 != ";" }
    return head.split(separator: " ").joined(separator: " ")
  }
}

extension MitigationsMenu {
  mutating func choose(_ index: Int) -> LayerAnswer {
    forget()
    list.index = index
    return .consumed
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
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
    let shown = list.visible(count: names.count, rows: rows.rows)
    for (place, index) in shown.enumerated() {
      guard let setting = state.listed(names[index]) else { continue }
      let line = rows.droppingTop(place).top(1)
      box.note(index, in: line)
      draw(setting, on: &grid, in: line, isChosen: index == list.index, state)
    }
    box.drawPlace(list, of: names.count, showing: shown.count, on: &grid, theme: theme)
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
    _ setting: SettingDeclaration, on grid: inout CellGrid, in rect: Rect, isChosen: Bool,
    _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    let surface: Role = isChosen ? .selection : .background
    grid.fill(rect, style: theme.style(.text, on: surface))
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
  fileprivate func listed(_ name: String) -> SettingDeclaration? {
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
