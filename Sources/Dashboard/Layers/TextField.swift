import Screen

/// A line being typed.
struct TextField: Sendable, Hashable {
  private(set) var characters: [Character]
  private(set) var cursor: Int
  /// Whether all of it stands for the taking: the first letter typed replaces it, every other key
  /// that edits keeps it.
  private(set) var isSelected = false

  init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  /// A line that holds the present value.
  init(present text: String) {
    self.init(text)
    isSelected = !text.isEmpty
  }

  var text: String { String(characters) }
  var isEmpty: Bool { characters.isEmpty }

  mutating func insert(_ text: String) {
    let printable = text.filter { !$0.isNewline && $0 != "\t" }
    if isSelected, !printable.isEmpty { self = TextField() }
    characters.insert(contentsOf: printable, at: cursor)
    cursor += printable.count
  }

  mutating func replace(with text: String) {
    self = TextField(text)
  }

  /// Takes the keys that edit; false for all others.
  mutating func handle(_ key: Key) -> Bool {
    switch key {
    case .character(let character): insert(String(character))
    case .backspace: remove(from: cursor - 1, to: cursor)
    case .delete: remove(from: cursor, to: cursor + 1)
    case .left: cursor = max(0, cursor - 1)
    case .right: cursor = min(characters.count, cursor + 1)
    case .home, .control("a"): cursor = 0
    case .end, .control("e"): cursor = characters.count
    case .control("u"): remove(from: 0, to: cursor)
    case .control("k"): remove(from: cursor, to: characters.count)
    case .control("w"): remove(from: startOfWord, to: cursor)
    default: return false
    }
    isSelected = false
    return true
  }

  private var startOfWord: Int {
    var index = cursor
    while index > 0, characters[index - 1] == " " { index -= 1 }
    while index > 0, characters[index - 1] != " " { index -= 1 }
    return index
  }

  private mutating func remove(from start: Int, to end: Int) {
    let range = max(0, start)..<min(end, characters.count)
    guard !range.isEmpty else { return }
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Draws the line with its cursor, the part around the cursor where it is too long.
  func draw(on grid: inout CellGrid, in rect: Rect, theme: Theme) {
    guard !rect.isEmpty else { return }
    let first = max(0, cursor - rect.columns + 1)
    let shown = String(characters[first...])
    let style = isSelected ? theme.style(.text, on: .selection) : theme.style(.text)
    grid.write(shown, at: rect.origin, style: style, maxColumns: rect.columns)
    let before = TextWidth.columns(of: String(characters[first..<cursor]))
    grid.restyle(
      Rect(column: rect.column + before, row: rect.row, columns: 1, rows: 1)
        .intersection(rect)
    ) { $0.attributes.formUnion(.reverse) }
  }
}
