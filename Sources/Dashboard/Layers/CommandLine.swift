import Screen

/// One action as help and the palette list it.
struct CommandLine: Sendable {
  let keys: String
  let name: String
  let sentence: String
  /// Why it can't be done now.
  let refusal: String?

  init(keys: String, name: String, sentence: String, refusal: String?) {
    self.keys = keys
    self.name = name
    self.sentence = sentence
    self.refusal = refusal
  }

  init(_ command: DashboardCommand, _ state: DashboardState) {
    keys = command.keys.isEmpty ? ":" : command.keys.map(\.words).joined(separator: " ")
    name = command.name
    refusal = command.refusal(state)
    sentence = refusal.map { "not now: \($0)" } ?? command.sentence
  }

  /// Keys, name and sentence side by side; `keyColumns` 0 leaves the keys out.
  func draw(
    on grid: inout CellGrid, in rect: Rect, keyColumns: Int, nameColumns: Int, isChosen: Bool,
    _ state: DashboardState
  ) {
    let theme = state.appearance.theme
    let surface: Role? = isChosen ? .selection : nil
    func style(_ role: Role) -> Style {
      surface.map { theme.style(role, on: $0) } ?? theme.style(role)
    }
    grid.fill(rect, style: style(.text))
    grid.write(
      TextWidth.truncated(keys, to: keyColumns - 1), at: rect.origin,
      style: style(refusal == nil ? .key : .faint))
    let names = rect.droppingLeft(keyColumns)
    grid.write(
      TextWidth.truncated(name, to: nameColumns - 1), at: names.origin,
      style: style(refusal == nil ? .text : .faint), maxColumns: names.columns)
    let sentences = names.droppingLeft(nameColumns)
    grid.write(
      sentence.cutBetweenWords(to: sentences.columns), at: sentences.origin,
      style: style(refusal == nil ? .faint : .warning), maxColumns: sentences.columns)
  }
}

extension String {
  /// The text if it fits, else as many of its words as do, with an ellipsis.
  func cutBetweenWords(to columns: Int) -> String {
    guard TextWidth.columns(of: self) > columns else { return self }
    let first = TextWidth.wrapped(self, to: columns - 1).first ?? ""
    return first.isEmpty ? "" : first + "…"
  }
}
