import Screen
import Signals
import Telemetry

/// The settings of the running model: value, range, what each is for, and what changing it did.
package struct MitigationsMenu: Sendable, Hashable {
  private(set) var list = ListCursor()
  /// The value being typed for the chosen setting.
  private var field: TextField?
  private var complaint: String?

  /// Opens at what helps against the alarms that are still raised. Of several it is the setting
  /// that the table lists first: growing attention logits end a run, a dead expert costs it a
  /// little.
  package init(_ state: DashboardState) {
    let names = state.history.settings.map(\.name)
    let alarms = EventLog(state.history.events(upTo: state.playhead)).raised
    let helping = alarms.compactMap { $0.helpingSetting(among: names) }
      .filter { state.setting($0) != .flag(true) }
    list.index = helping.compactMap(names.firstIndex(of:)).min() ?? 0
  }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let settings = state.history.settings
    if field != nil { return edit(key, in: state) }
    let moved: Key? =
      switch key {
      case .character("j"), .tab: .down
      case .character("k"), .backtab: .up
      default: nil
      }
    if list.handle(moved ?? key, count: settings.count) {
      complaint = nil
      return .consumed
    }
    switch key {
    case .escape, .character("q"), .character("m"): return .closed
    case .enter: return change(in: state)
    case .character(" "): return toggle(in: state)
    case .character("u"): return .stays { $0.run(named: "undo") }
    case .control: return .ignored
    default: return .consumed
    }
  }

  private func chosen(in state: DashboardState) -> SettingDeclaration? {
    let settings = state.history.settings
    return settings.indices.contains(list.index) ? settings[list.index] : nil
  }

  /// Enter: a flag changes at once, a number can be typed.
  private mutating func change(in state: DashboardState) -> LayerAnswer {
    guard let setting = chosen(in: state), isAllowed(setting, state) else { return .consumed }
    guard case .number = setting.kind else { return toggle(in: state) }
    field = TextField("\(state.setting(setting.name) ?? setting.value)")
    return .consumed
  }

  /// Space: off where it is on, its usual value where it is off.
  private mutating func toggle(in state: DashboardState) -> LayerAnswer {
    guard let setting = chosen(in: state), isAllowed(setting, state) else { return .consumed }
    let isOn = (state.setting(setting.name) ?? setting.value).isOn
    switch setting.kind {
    case .flag:
      return ask(setting.name, .flag(!isOn))
    case .number(let lowest, _):
      guard setting.name != SettingCatalog.learningRateMultiplier else {
        return ask(setting.name, .number(1))
      }
      guard isOn, lowest <= 0 else {
        return ask(setting.name, SettingCatalog.entry(setting.name)?.usual ?? .number(lowest))
      }
      return ask(setting.name, .number(0))
    }
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
      field = nil
      complaint = nil
      return .consumed
    case .enter:
      guard let value = setting.value(words: editing.text) else {
        complaint = "'\(editing.text)' is no value: give \(setting.kind.allowed)"
        return .consumed
      }
      field = nil
      complaint = nil
      return ask(setting.name, value)
    default:
      guard editing.handle(key) else { return .ignored }
      field = editing
      return .consumed
    }
  }

  private func ask(_ name: String, _ value: SettingValue) -> LayerAnswer {
    .stays { $0.ask(.set(name: name, value: value)) }
  }
}

extension MitigationsMenu {
  mutating func insert(_ text: String) {
    field?.insert(text)
  }

  mutating func choose(_ index: Int) -> LayerAnswer {
    field = nil
    complaint = nil
    list.index = index
    return .consumed
  }

  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box {
    let settings = state.history.settings
    let theme = state.appearance.theme
    let isRoomy = grid.size.rows >= 20
    let rowsEach = isRoomy ? 2 : 1
    var box = Box(
      on: &grid, state, columns: 94, rows: max(1, settings.count) * rowsEach + (isRoomy ? 3 : 4),
      title: "mitigations", keys: keys(in: state))
    guard !settings.isEmpty else {
      grid.write(
        "this run declares no settings", at: box.inside.origin, style: theme.style(.faint))
      return box
    }
    let details = box.inside.bottom(isRoomy ? 2 : 3)
    let rows = box.inside.droppingBottom(details.rows + (isRoomy ? 1 : 0))
    let shown = list.visible(count: settings.count, rows: rows.rows / rowsEach)
    for (place, index) in shown.enumerated() {
      let line = rows.droppingTop(place * rowsEach).top(rowsEach)
      box.note(index, in: line)
      draw(settings[index], on: &grid, in: line, isChosen: index == list.index, state)
    }
    box.drawPlace(list, of: settings.count, showing: shown.count, on: &grid, theme: theme)
    let purpose = chosen(in: state)?.purpose ?? ""
    let isCut = TextWidth.columns(of: purpose) > rows.columns - 2
    drawDetails(on: &grid, in: details, withPurpose: !isRoomy || isCut, state)
    return box
  }

  private func keys(in state: DashboardState) -> [KeyHint] {
    if field != nil { return [.init("⏎", "apply", .enter), .init("esc", "drop", .escape)] }
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
    grid.fill(rect.top(1), style: theme.style(.text, on: surface))
    let isAllowed = setting.refusal == nil && state.commandRefusal == nil
    grid.write(
      setting.name, at: rect.origin.offset(columns: 1),
      style: theme.style(isAllowed ? .text : .faint, on: surface), maxColumns: rect.columns - 1)
    let valueColumn = min(19, max(16, rect.columns / 3))
    drawValue(
      of: setting, on: &grid, in: rect.droppingLeft(valueColumn).top(1), surface, isChosen, state)
    guard rect.rows > 1 else { return }
    grid.write(
      setting.purpose.cutBetweenWords(to: rect.columns - 2),
      at: rect.origin.offset(columns: 2, rows: 1), style: theme.style(.faint))
  }

  private func drawValue(
    of setting: SettingDeclaration, on grid: inout CellGrid, in rect: Rect, _ surface: Role,
    _ isChosen: Bool, _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    if isChosen, let field {
      grid.fill(rect.left(14), style: theme.style(.text))
      field.draw(on: &grid, in: rect.left(14), theme: theme)
    } else {
      let value = state.setting(setting.name) ?? setting.value
      let isAsked = state.requests.value(of: setting.name) != nil
      let text = isAsked ? "\(value) asked" : value.words
      grid.write(
        TextWidth.truncated(text, to: 14), at: rect.origin,
        style: theme.style(isAsked ? .person : value.isOn ? .good : .faint, on: surface))
    }
    let rest = rect.droppingLeft(15)
    let range = setting.refusal ?? setting.kind.range
    let effect = state.effect(of: setting.name)
    var spans = [Span(range, setting.refusal == nil ? .faint : .warning)]
    if let effect { spans.append(Span("   \(effect)", .person)) }
    Line(spans).fitted(to: rest.columns).draw(
      on: &grid, at: rest.origin, theme: theme, surface: surface)
  }

  /// The purpose where the list has no room for it; then what is wrong, or what the change did.
  private func drawDetails(
    on grid: inout CellGrid, in rect: Rect, withPurpose: Bool, _ state: DashboardState
  ) {
    guard let setting = chosen(in: state) else { return }
    let theme = state.appearance.theme
    var lines: [Span] = []
    if let complaint = complaint ?? state.commandRefusal {
      lines.append(Span(complaint, .warning))
    } else if let effect = state.effect(of: setting.name) {
      lines.append(Span("measured: \(effect)", .good))
    } else if !withPurpose {
      lines.append(Span("a change is applied between two steps and can be undone", .faint))
    }
    if withPurpose, complaint == nil { lines.insert(Span(setting.purpose, .faint), at: 0) }
    let wrapped = lines.flatMap { span in
      TextWidth.wrapped(span.text, to: rect.columns).map { Span($0, span.role) }
    }
    for (row, span) in zip(rect.row..<rect.endRow, wrapped) {
      grid.write(
        span.text, at: Point(column: rect.column, row: row), style: theme.style(span.role))
    }
  }
}

extension DashboardState {
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
  /// The value that words name; a setting the catalogue does not know takes what its kind allows.
  func value(words: String) -> SettingValue? {
    if let entry = SettingCatalog.entry(name) { return entry.value(words: words) }
    switch (kind, SettingValue(words: words)) {
    case (.flag, .flag(let flag)?): return .flag(flag)
    case (.number(let lowest, let highest), .number(let number)?):
      return number >= lowest && number <= highest ? .number(number) : nil
    default: return nil
    }
  }
}

extension SettingDeclaration.Kind {
  fileprivate var range: String {
    switch self {
    case .flag: "on · off"
    case .number(let lowest, let highest):
      "\(Self.words(lowest)) to \(Self.words(highest))"
    }
  }

  private static func words(_ number: Double) -> String {
    number >= 1000 ? NumberText.grouped(number) : SettingValue.number(number).description
  }
}
