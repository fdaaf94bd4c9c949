/// The beginning of a line that says how far a program is: `[420/600] loss: 2.5`, `(3/10) …`,
/// `420/600: …`, `Batch 20/100 …`.
struct PrintedPlace {
  let done: Int
  let all: Int
  /// What stands behind it.
  let rest: Substring

  private static let labels: Set<Substring> = [
    "train", "training", "batch", "minibatch", "mini-batch", "it", "update", "progress",
  ]

  init?(_ text: Substring) {
    var rest = text.drop { $0 == " " }
    let isLabelled = Self.skipLabel(&rest)
    let bracket = rest.first.flatMap { ["[": "]", "(": ")"][$0] as Character? }
    if bracket != nil { rest.removeFirst() }
    guard let done = Self.number(&rest), rest.first == "/" else { return nil }
    rest.removeFirst()
    guard let all = Self.number(&rest), all > 0, done <= all else { return nil }
    if let bracket {
      // `[ 50/1251 (  4%)]`
      guard let end = rest.firstIndex(of: bracket),
        rest[..<end].allSatisfy({ $0.isNumber || " (%).,".contains($0) })
      else { return nil }
      rest = rest[rest.index(after: end)...].drop { $0 == "]" }
    }
    let isParted = rest.first.map { ":|,;-".contains($0) } ?? false
    rest = rest.drop { ":|,;- \t".contains($0) }
    guard bracket != nil || isLabelled || isParted || TextLine(rest).pairs.first?.isMarked == true,
      !LoggerPrefix.isTime(rest.prefix { $0 != " " })
    else { return nil }
    (self.done, self.all, self.rest) = (done, all, rest)
  }

  private static func skipLabel(_ text: inout Substring) -> Bool {
    // `[Train] 10/100`, `(10%) 10/100`
    let start = text.first.map { "[(".contains($0) } ?? false ? text.dropFirst() : text
    let word = start.prefix { $0.isLetter || $0 == "-" }
    let share = start.prefix { $0.isNumber || " .%".contains($0) }
    guard labels.contains(Substring(word.lowercased())) || share.last == "%" else { return false }
    text = start[max(word.endIndex, share.endIndex)...].drop { "]): #=".contains($0) }
    return true
  }

  /// A count with blanks about it, and perhaps with commas.
  private static func number(_ text: inout Substring) -> Int? {
    text = text.drop { $0 == " " }
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "," }
    guard digits.count <= 20 else { return nil }
    text = text[digits.endIndex...].drop { $0 == " " }
    return Int(digits.filter { $0 != "," })
  }
}

/// Which places at the beginning of lines count steps: those that have grown. A place that stays is
/// a process's, `[0/4] loss: 2.5`.
struct PrintedPlaces {
  struct Line {
    let place: PrintedPlace
    let pairs: [TextLine.Pair]
  }

  enum Judgement {
    /// Lines whose places are steps.
    case steps([Line])
    /// Nothing is known yet.
    case waits
    /// Lines whose places are none.
    case others([Line])
  }

  private var isBelieved = false
  private var waiting: [Line] = []
  /// The number of steps that places tell of, and what is measured at them.
  private var all = 0
  private var keys: Set<String> = []

  private static let mostWaiting = 16

  mutating func judge(_ line: Line) -> Judgement {
    if isBelieved {
      let isSame = line.place.all == all || line.pairs.contains { keys.contains($0.key) }
      if isSame { note(line) }
      return isSame ? .steps([line]) : .others([line])
    }
    if let last = waiting.last {
      isBelieved = line.place.done > last.place.done && line.place.all == last.place.all
      let repeats = waiting.contains { before in
        before.place.done == line.place.done
          && before.pairs.contains { pair in line.pairs.contains { $0.key == pair.key } }
      }
      if !isBelieved, repeats || waiting.count >= Self.mostWaiting {
        defer { waiting = [] }
        return .others(waiting + [line])
      }
    }
    waiting.append(line)
    return isBelieved ? finish() : .waits
  }

  /// What still waits at the end counts as it stands.
  mutating func finish() -> Judgement {
    defer { waiting = [] }
    waiting.forEach { note($0) }
    return .steps(waiting)
  }

  private mutating func note(_ line: Line) {
    all = line.place.all
    guard keys.count < TextLineReader.mostCandidates else { return }
    keys.formUnion(line.pairs.map(\.key))
  }
}
