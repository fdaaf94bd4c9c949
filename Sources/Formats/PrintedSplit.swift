/// Of which data a printed line tells, where its first words or a neighbour say it.
enum PrintedSplit {
  private static let training: Set<String> = ["train", "training"]
  private static let heldOut: Set<String> = [
    "eval", "evaluation", "val", "valid", "validation", "test",
  ]

  /// Whether a word names a part of the data.
  static func isPart(_ word: Substring) -> Bool {
    let word = word.lowercased()
    return training.contains(word) || heldOut.contains(word)
  }

  /// A message whose first word alone says which part of the data it is of: `val: step 25 | loss 2.4`,
  /// `[eval] loss 2.4`, `Test | acc 0.9`.
  ///
  /// - Returns: the part, nil where it is that of training, and what stands behind it; nil for other
  ///   messages.
  static func parted(_ message: Substring) -> (heldOut: String?, rest: Substring)? {
    let text = message.drop { $0 == " " }
    let word = text.prefix { $0 != " " }
    var rest = text[word.endIndex...].drop { $0 == " " }
    let name = word.drop { "[(<".contains($0) }.prefix { $0.isLetter }
    let isParted = name.startIndex > word.startIndex || name.endIndex < word.endIndex
    guard isPart(name), word[name.endIndex...].allSatisfy({ "])>:|-".contains($0) }) else {
      return nil
    }
    if let bar = rest.first, "|:-".contains(bar), rest.dropFirst().first == " " {
      rest = rest.dropFirst().drop { $0 == " " }
    } else if !isParted {
      return nil
    }
    // `val: 2.4` has a value behind it.
    guard rest.first?.isLetter == true else { return nil }
    return (heldOut.contains(name.lowercased()) ? name.lowercased() : nil, rest)
  }

  /// The pairs of a message that is of held-out data.
  static func heldOut(_ pairs: [TextLine.Pair], _ part: String) -> [TextLine.Pair] {
    pairs.map { pair in
      let role = LogKeys.role(of: pair.key.lastWord)
      guard !role.isStep, role != .epoch, !isHeldOut(pair.key) else { return pair }
      var pair = pair
      pair.key = "\(part)/\(pair.key)"
      return pair
    }
  }

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
      isPlace(words.dropFirst(), hasTotal: first.total != nil)
    else { return named }
    named[0].key = words.last ?? first.key
    guard heldOut.contains(split) else { return named }
    for index in named.indices.dropFirst() where !isHeldOut(named[index].key) {
      named[index].key = "\(split)/\(named[index].key)"
    }
    return named
  }

  /// `epoch`, `step`, `at step`, `@ iteration`
  private static func isPlace(_ words: ArraySlice<String>, hasTotal: Bool) -> Bool {
    guard let last = words.last else { return false }
    let role = LogKeys.role(of: last)
    // Of `eval step 20/100` the steps may be the evaluation's own.
    if words.count == 1 { return role == .epoch || role.isStep && !hasTotal }
    return words.count == 2 && (words.first == "at" || words.first == "@")
      && (role == .epoch || role.isStep)
  }

  /// Whether a key says itself that it is of held-out data.
  private static func isHeldOut(_ key: String) -> Bool {
    let word = key.lowercased().prefix { $0.isLetter }
    return heldOut.contains(String(word))
  }
}
