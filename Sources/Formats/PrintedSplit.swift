/// Of which data a printed line tells, where its first words or a neighbour say it.
enum PrintedSplit {
  private static let training: Set<String> = ["train", "training"]
  private static let heldOut: Set<String> = [
    "eval", "evaluation", "val", "valid", "validation", "test",
  ]

  /// `eval epoch: 1, loss: 0.3` names the loss of held-out data, `train epoch: 1, loss: 0.4` that of a
  /// training; `loss train: 2.5, val: 2.4` names two losses.
  static func named(_ pairs: [TextLine.Pair]) -> [TextLine.Pair] {
    guard let first = pairs.first else { return pairs }
    var named = pairs
    for index in pairs.indices.dropFirst()
    where pairs[index].key == "val" && pairs[index - 1].key == "loss train" {
      named[index].key = "val loss"
    }
    let words = first.key.split(separator: " ").map { $0.lowercased() }.filter { word in
      word.contains { $0.isLetter || $0 == "@" }
    }
    guard let split = words.first, training.contains(split) || heldOut.contains(split),
      isPlace(words.dropFirst())
    else { return named }
    named[0].key = words.last ?? first.key
    guard heldOut.contains(split) else { return named }
    for index in named.indices.dropFirst() where !isHeldOut(named[index].key) {
      named[index].key = "\(split)/\(named[index].key)"
    }
    return named
  }

  /// `epoch`, `at step`, `@ iteration`
  private static func isPlace(_ words: ArraySlice<String>) -> Bool {
    guard let last = words.last else { return false }
    let role = LogKeys.role(of: last)
    if words.count == 1 { return role == .epoch }
    return words.count == 2 && (words.first == "at" || words.first == "@")
      && (role == .epoch || role.isStep)
  }

  /// Whether a key says itself that it is of held-out data.
  private static func isHeldOut(_ key: String) -> Bool {
    let word = key.lowercased().prefix { $0.isLetter }
    return heldOut.contains(String(word))
  }
}
