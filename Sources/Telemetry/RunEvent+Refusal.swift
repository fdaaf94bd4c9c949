extension RunEvent {
  /// A command in these words that was not obeyed.
  package init(
    refusing words: String, because reason: String, by author: String, step: Int, wallTime: Double
  ) {
    self.init(
      step: step, wallTime: wallTime, kind: .refused, by: author, name: words,
      text: Self.beginning(words) + reason)
  }

  /// Why a command was not obeyed, without its words; all the text of an event that tells no such
  /// thing.
  package var reason: String {
    let beginning = Self.beginning(name ?? "")
    guard kind == .refused, text.hasPrefix(beginning) else { return text }
    return String(text.dropFirst(beginning.count))
  }

  private static func beginning(_ words: String) -> String { "\(words) refused: " }
}
