/// Counts the steps of all epochs where a program counts them within each.
struct EpochSteps {
  private var first: Int?
  private var last: (epoch: Int, step: Int)?
  /// Whether the steps have begun again with an epoch.
  private(set) var isCounting = false

  /// The step that is number `done` of `all` in an epoch. Epochs count from 0 or 1.
  mutating func step(_ done: Int, of all: Int, epoch: Int) -> Int {
    let first = first ?? max(0, min(epoch, 1))
    self.first = first
    guard epoch >= 0 else { return done }
    return Self.step(done, after: max(0, epoch - first), of: all)
  }

  /// Counts that no trainer reaches are no reason to end.
  static func step(_ done: Int, after epochs: Int, of all: Int) -> Int {
    let limit = 1 << 31
    guard (0..<limit).contains(epochs), (0..<limit).contains(all), (0...(1 << 52)).contains(done)
    else { return done }
    return epochs * all + done
  }

  /// The same of a program of which it is not known: before its steps begin again with an epoch, they
  /// are those of all epochs.
  mutating func noticed(_ done: Int, of all: Int, epoch: Int) -> Int {
    defer { last = (epoch, done) }
    if let last, epoch > last.epoch, done < last.step { isCounting = true }
    let counted = step(done, of: all, epoch: epoch)
    return isCounting && done <= all ? counted : done
  }
}

/// Counts the steps of all rounds where a program begins its count again and names no epoch.
struct Rounds {
  private var base = 0
  private var last: (done: Int, all: Int)?
  private var stride = 1
  /// Whether a count has begun again behind its end.
  var isCounting: Bool { base > 0 }

  /// The step that is number `done` of `all`. A count that falls back before its end is that of a
  /// run that was resumed, and stays as it is.
  mutating func step(_ done: Int, of all: Int) -> Int {
    defer { last = (done, all) }
    guard let last else { return done }
    if done < last.done, last.done >= last.all - stride, last.all < 1 << 31 {
      base = min(base + last.all, 1 << 52)
    }
    if done > last.done { stride = min(done - last.done, all) }
    return base + done
  }
}

/// A line that begins with an epoch and a place in it: `Epoch: [0][ 10/5005]` of PyTorch's ImageNet
/// example, `Train: 0 [ 50/1251 (  4%)]` of timm, `Train Epoch: 1 [640/60000 (1%)]`.
struct EpochLine {
  let epoch: Int
  let done: Int
  let all: Int
  let rest: Substring

  init?(_ line: String) {
    guard line.first == "E" || line.first == "T",
      let start = ["Epoch: ", "Epoch ", "Train Epoch: ", "Train: ", "Training: "]
        .first(where: { line.hasPrefix($0) })
    else { return nil }
    var rest = line.dropFirst(start.count)
    func number(_ text: inout Substring) -> Int? {
      text = text.drop { $0 == " " || $0 == "[" }
      let digits = text.prefix { $0.isNumber }
      text = text[digits.endIndex...]
      return Int(digits)
    }
    guard let epoch = number(&rest) else { return nil }
    rest = rest.drop { $0 == "]" || $0 == " " || $0 == ":" }
    guard rest.first == "[", let done = number(&rest), rest.first == "/" else { return nil }
    rest = rest.dropFirst()
    guard let all = number(&rest), all > 0, let end = rest.firstIndex(of: "]") else { return nil }
    (self.epoch, self.done, self.all) = (epoch, done, all)
    self.rest = rest[rest.index(after: end)...]
  }
}

/// A table whose first line names its columns and whose cells have blanks between them.
struct BlankTable {
  private var names: [Substring] = []
  /// The first cell of the last row.
  private var place: JSONValue.Member?
  private var classes = ClassTable()

  /// The numbers of a row; nil for any other line. A line that names columns is remembered.
  mutating func read(_ line: String) -> [JSONValue.Member]? {
    var words = line.split { $0 == " " || $0 == "\t" }
    guard words.count > 2 else { return nil }
    if let found = classes.read(words) { return place.map { [$0] + found } }
    if Self.isHeader(words) {
      names = words
      return nil
    }
    guard !names.isEmpty, words.count >= names.count else { return nil }
    if words.count > names.count {
      // Behind its last cell a row may have a bar, which counts once it is full.
      guard line.contains("100%|") else { return nil }
      words = Array(words.prefix(names.count))
    }
    let numbers = words.map { Self.number($0) }
    guard numbers[0] != nil, numbers.count(where: { $0 != nil }) * 2 > words.count else {
      return nil
    }
    let row = zip(names, numbers).compactMap { name, number in
      number.map { JSONValue.Member(key: String(name), value: .number($0)) }
    }
    place = row.first
    return row
  }

  /// Names alone, the first of which counts.
  private static func isHeader(_ words: [Substring]) -> Bool {
    switch LogKeys.role(of: String(words[0])) {
    case .epoch, .step: break
    case .time, .total, .generation, .other: return false
    }
    return words.allSatisfy { word in
      word.first.map { $0.isLetter || $0 == "_" } ?? false
        && !word.contains { $0 == ":" || $0 == "=" || $0 == "," }
        && WrittenNumber.read(word) == nil
    }
  }

  /// `12`, `12/100`, `640:`
  private static func number(_ word: Substring) -> Double? {
    let plain = word.last == ":" ? word.dropLast() : word
    if let number = WrittenNumber.read(plain) { return number }
    guard let slash = plain.firstIndex(of: "/"),
      WrittenNumber.read(plain[plain.index(after: slash)...]) != nil
    else { return nil }
    return WrittenNumber.read(plain[..<slash])
  }
}

/// What detectors measure below a row of their table, by classes: `Class Images Instances Box(P R mAP50)`,
/// and of all classes `all 128 929 0.654 0.543 0.601`, as YOLO prints it.
struct ClassTable {
  /// What each cell behind the class is called; nil for what is counted and not measured.
  private var names: [String?] = []

  private static let words = ["P": "precision", "R": "recall"]

  /// What was measured of all classes; nil for any other line. A line that names the cells is
  /// remembered.
  mutating func read(_ words: [Substring]) -> [JSONValue.Member]? {
    if words[0] == "Class", words[1] == "Images" {
      names = Self.names(words.dropFirst().prefix { !$0.contains("%|") })
      return nil
    }
    guard words[0] == "all", !names.isEmpty, words.count == names.count + 1 else { return nil }
    let members = zip(names, words.dropFirst()).compactMap { name, word in
      name.flatMap { name in
        WrittenNumber.read(word).map { JSONValue.Member(key: name, value: .number($0)) }
      }
    }
    return members.isEmpty ? nil : members
  }

  /// The names that YOLO's own tables have for them: `metrics/precision(B)` for `P` within `Box(…)`.
  private static func names(_ cells: some Sequence<Substring>) -> [String?] {
    var group: Character?
    return cells.map { cell in
      var word = cell.last == ":" ? cell.dropLast() : cell
      if let open = word.firstIndex(of: "("), open > word.startIndex {
        group = word.first
        word = word[word.index(after: open)...]
      }
      let ends = word.last == ")"
      if ends { word.removeLast() }
      defer { if ends { group = nil } }
      return group.map { "metrics/\(words[String(word)] ?? String(word))(\($0))" }
    }
  }
}

/// Bars of tqdm with values behind them: `50/100 [00:10<00:10, 5.00it/s, loss=2.5]`.
struct ProgressBars {
  private var base = 0
  private var last: (label: Substring, done: Int, all: Int)?
  /// What the first bars told; nil once they are believed.
  private var waiting: [Told]? = []

  typealias Told = (values: [(name: String, value: Double)], step: Int)

  /// A bar that has shown values so often shows those of a training.
  private static let believed = 3

  /// Values that a bar shows and nobody measured.
  private static let untold: Set<String> = ["v_num"]

  /// The values of a bar that has moved, and the step of all bars that it is at, as soon as bars have
  /// shown values three times; nothing where it has none.
  mutating func read(_ line: String, progress: Substring) -> [Told] {
    guard let told = told(line, progress: progress) else { return [] }
    guard let before = waiting else { return [told] }
    let all = before + [told]
    waiting = all.count < Self.believed ? all : nil
    return waiting == nil ? all : []
  }

  private mutating func told(_ line: String, progress: Substring) -> Told? {
    let place = progress.split(separator: "/")
    guard place.count == 2, let done = Int(place[0]), let all = Int(place[1]),
      let open = line.lastIndex(of: "["), let close = line.lastIndex(of: "]"), open < close
    else { return nil }
    var values = line[line.index(after: open)..<close].split(separator: ", ").compactMap { part in
      Self.value(part)
    }
    let counted = Self.takeStep(from: &values)
    guard !values.isEmpty else { return nil }
    let label = Self.label(line)
    if let last {
      let isOther = label != last.label || done < last.done || last.all != all
      if !isOther, done == last.done { return nil }
      // Another bar goes on where the one before ended.
      if isOther { base = min(base &+ last.all, 1 << 52) }
    }
    last = (label, done, all)
    return (values, counted ?? base &+ done)
  }

  /// The step that stands among a bar's values, as NeMo's do.
  private static func takeStep(from values: inout [(name: String, value: Double)]) -> Int? {
    let index = values.firstIndex { name, value in
      LogKeys.role(of: name).isStep && value == value.rounded() && abs(value) <= 0x1p52
    }
    return index.map { Int(values.remove(at: $0).value) }
  }

  /// What stands before a bar's per cent.
  private static func label(_ line: String) -> Substring {
    var label = line.prefix { $0 != "%" }
    while let last = label.last, last.isNumber || last == " " { label.removeLast() }
    return label
  }

  private static func value(_ part: Substring) -> (name: String, value: Double)? {
    guard let equals = part.firstIndex(of: "="), equals > part.startIndex else { return nil }
    let name = String(part[..<equals]).trimmed
    guard !untold.contains(name),
      let value = WrittenNumber.read(part[part.index(after: equals)...])
    else { return nil }
    return (name, value)
  }
}

/// Lines of MMEngine's: `Epoch(train)  [1][ 50/500]  lr: 1.0e-02  loss: 2.3`.
struct MMEngineLine {
  /// The iterations of a training epoch: validation has others.
  private var length: Int?

  mutating func read(_ line: String) -> (pairs: [TextLine.Pair], step: Int)? {
    guard let start = line.range(of: "Epoch(") ?? line.range(of: "Iter("),
      let end = line[start.upperBound...].firstIndex(of: ")")
    else { return nil }
    let mode = line[start.upperBound..<end]
    var rest = line[line.index(after: end)...].drop { $0 == " " }
    var places: [[Int]] = []
    while rest.first == "[", let close = rest.firstIndex(of: "]") {
      let numbers = rest[..<close].dropFirst().split(separator: "/").compactMap {
        Int(String($0).trimmed)
      }
      places.append(numbers)
      rest = rest[rest.index(after: close)...].drop { $0 == " " }
    }
    guard let last = places.last, let done = last.first else { return nil }
    let all = last.count > 1 ? last[1] : done
    var step = done
    if places.count > 1, let epoch = places[0].first {
      if mode == "train" { length = all }
      step =
        mode == "train"
        ? EpochSteps.step(done, after: epoch - 1, of: all)
        : EpochSteps.step(0, after: epoch, of: length ?? all)
    }
    // Of a validation that goes on nothing is known yet.
    if mode != "train", done < all { return ([], step) }
    let pairs = TextLine(rest).pairs.filter(\.isMarked).map { pair in
      var pair = pair
      if mode != "train" { pair.key = "\(mode)/\(pair.key)" }
      return pair
    }
    return pairs.isEmpty ? nil : (pairs, step)
  }
}
