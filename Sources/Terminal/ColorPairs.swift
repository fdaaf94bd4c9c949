import CNcurses

/// The pairs of foreground and background that curses draws with, made as they are needed.
struct ColorPairs {
  struct Colors: Hashable {
    /// A colour's number as curses counts, -1 for the terminal's own.
    var foreground: Int32
    var background: Int32
  }

  private let limit: Int
  private var numbers: [Colors: Int32] = [:]

  /// Pair 0 is the terminal's own colours.
  init(limit: Int) { self.limit = limit }

  /// Nil when all pairs are taken: begin again with `removeAll` and draw every cell anew.
  mutating func number(_ colors: Colors) -> Int32? {
    if colors == Colors(foreground: -1, background: -1) { return 0 }
    if let number = numbers[colors] { return number }
    let next = Int32(numbers.count + 1)
    guard next < limit,
      init_extended_pair(next, colors.foreground, colors.background) == OK
    else { return nil }
    numbers[colors] = next
    return next
  }

  /// What is nearest when one screen has more colours than there are pairs.
  mutating func substitute(_ colors: Colors) -> Int32 {
    number(Colors(foreground: colors.foreground, background: -1)) ?? 0
  }

  mutating func removeAll() { numbers = [:] }
}
