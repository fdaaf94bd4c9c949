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
    let words = first.key.split(separator: " ").map { $0.lowercased() }
    guard words.count == 2, LogKeys.role(of: words[1]) == .epoch else { return named }
    guard training.contains(words[0]) || heldOut.contains(words[0]) else { return named }
    named[0].key = words[1]
    guard heldOut.contains(words[0]) else { return named }
    for index in named.indices.dropFirst() { named[index].key = "\(words[0])/\(named[index].key)" }
    return named
  }
}
