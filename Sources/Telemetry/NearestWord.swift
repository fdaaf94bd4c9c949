extension StringProtocol {
  /// The candidate that differs from this word least, if it is near enough to be meant.
  package func nearest(among candidates: [String]) -> String? {
    let scored = candidates.map { (word: $0, distance: editDistance(to: $0)) }
    guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
    let isNear = best.distance <= Swift.max(2, best.word.count / 3)
    // As many changes as letters leave nothing of a short word.
    return isNear && best.distance < Swift.max(count, best.word.count) ? best.word : nil
  }

  /// Levenshtein's distance: insertions, deletions, substitutions.
  private func editDistance(to other: String) -> Int {
    let columns = Array(other)
    var previous = Array(0...columns.count)
    for (row, character) in self.enumerated() {
      var current = [row + 1]
      for (column, candidate) in columns.enumerated() {
        let substitution = previous[column] + (character == candidate ? 0 : 1)
        current.append(Swift.min(substitution, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[columns.count]
  }
}
