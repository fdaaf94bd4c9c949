import Screen

/// Keys and mouse wheels that go through a list.
struct ListCursor: Sendable, Hashable {
  var index = 0

  /// - Parameters: `hasText` says whether home and end are a text field's beside the list
  mutating func handle(
    _ key: Key, count: Int, page: Int = 8, hasText: Bool = false
  ) -> Bool {
    switch key {
    case .home where !hasText: index = 0
    case .end where !hasText: index = count - 1
    case .up, .control("p"): index -= 1
    case .down, .control("n"): index += 1
    case .pageUp: index -= page
    case .pageDown: index += page
    default: return false
    }
    index = min(max(0, index), max(0, count - 1))
    return true
  }

  /// The entries to show in `rows` rows so that the chosen one is among them.
  func visible(count: Int, rows: Int) -> Range<Int> {
    guard rows > 0, count > 0 else { return 0..<0 }
    let first = min(max(0, index - rows / 2), max(0, count - rows))
    return first..<min(count, first + rows)
  }
}
