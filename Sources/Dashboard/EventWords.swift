import Screen

/// An event's sentence, shortened by whole clauses.
struct EventWords: Sendable, Hashable {
  /// The whole sentence first, then ever fewer of its clauses.
  let versions: [String]

  init(_ sentence: String) {
    // What names a value behind a semicolon says nothing without it.
    let addition = sentence.firstRange(of: "; ")?.lowerBound ?? sentence.endIndex
    let places = Self.separators.flatMap { separator in
      sentence.ranges(of: separator).map(\.lowerBound)
        .filter { separator != ": " || $0 < addition }
    }
    let shorter = Set(places).sorted(by: >).map { String(sentence[..<$0]) }
    versions = [sentence] + shorter.filter { !$0.isEmpty && $0.isClosed }
  }

  private static let separators = [": ", ", ", " (", "; "]

  /// As much of it as fits into `columns`; nil where not even its first clause does.
  func fitting(_ columns: Int) -> String? {
    versions.first { TextWidth.columns(of: $0) <= columns }
  }

  /// As much of it as fits, cut between words where not even its first clause does.
  func cut(to columns: Int) -> String {
    fitting(columns) ?? (versions.last ?? "").cutBetweenWords(to: columns)
  }
}

extension String {
  /// Whether each of its brackets is closed.
  fileprivate var isClosed: Bool { count { $0 == "(" } == count { $0 == ")" } }
}
