package import Screen
import Signals
import Telemetry

/// The settings of the running model: value, range, what the chosen one is for, and what changing it
/// did. It closes with a change, so that the charts show what comes of it.
package struct MitigationsMenu: Layer {
  private(set) var list = ListCursor()
  /// What helps against the alarms that are still raised comes first, as it was when the menu
  /// opened.
  let names: [String]
  /// The alarm that a setting helps against, in a few words.
  let reasons: [String: String]
  /// The value being typed for the chosen setting.
  var field: TextField?
  var complaint: String?
  /// The value that enter applies when it is pressed again.
  var doubted: SettingValue?

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

  package var takesText: Bool { true }
  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
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
    case .character("u"): return .closed(.run("undo"))
    case .control: return .ignored
    default: return .consumed
    }
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    forget()
    list.index = index
    return .consumed
  }

  private mutating func forget() {
    (field, complaint, doubted) = (nil, nil, nil)
  }

  func chosen(in state: DashboardState) -> SettingDeclaration? {
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
    return .closed(.ask(.set(name: name, value: value)))
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
