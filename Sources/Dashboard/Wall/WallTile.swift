import Screen
import Signals
import Telemetry

/// One chart of the wall: a metric, or a family of metrics whose names differ in layer, expert, tensor
/// or another number alone.
struct WallTile: Sendable, Hashable {
  /// The name; of a family with a star for what differs: `layer*/grad_norm`.
  let title: String
  /// In the order of their numbers.
  let metrics: [MetricName]
  /// What its name begins with, as another trainer wrote it: `train/`.
  var group = ""
  /// What differs in the name of each member, where it is numbers alone: one or two for each.
  let numbers: [[Int]]
  /// What the numbers count, `L` for layers and `E` for experts; empty where the name does not say.
  let letters: [String]

  /// A metric has the hue of the pane it belongs to.
  let hue: TileHue
  /// Whether its values are the logits that come before trouble, whoever logs them.
  let isAttentionLogits: Bool
  /// Whether its values are what experts are given, of which the least is what matters.
  let isLoad: Bool

  var isFamily: Bool { metrics.count > 1 }

  private init(title: String, metrics: [MetricName], numbers: [[Int]], letters: [String]) {
    (self.title, self.metrics) = (title, metrics)
    (self.numbers, self.letters) = (numbers, letters)
    hue = TileHue(of: metrics[0])
    let words = title.lowercased()
    isAttentionLogits = words.holds("logit") && words.holds("att")
    isLoad = letters.last == "E" && words.holds("load")
  }

  init(_ name: MetricName) {
    self.init(title: name.path, metrics: [name], numbers: [], letters: [])
  }

  /// Of one line of the table of metrics.
  init(family metrics: [MetricName], _ family: MetricFamily) {
    guard metrics.count > 1 else {
      self.init(metrics[0])
      return
    }
    let parts = family.parts.dropFirst(family.stem.split(separator: "/").count).map(String.init)
    let numbered = metrics.map { (name: $0, numbers: MetricCatalog.indices(of: $0)) }
    let isNumbered = numbered.allSatisfy { $0.numbers.count == parts.count }
    let sorted =
      isNumbered
      ? numbered.sorted { $0.numbers.lexicographicallyPrecedes($1.numbers) } : numbered
    self.init(
      title: ([family.stem] + parts.map { _ in "*" }).joined(separator: "/"),
      metrics: sorted.map(\.name), numbers: isNumbered ? sorted.map(\.numbers) : [],
      letters: isNumbered ? parts.map { $0.count == 1 ? $0 : "" } : [])
  }

  /// Of names alike but for numbers.
  init(_ names: [NumberedName]) {
    let sorted = names.sorted()
    let first = sorted[0]
    let varying = first.numbers.indices.filter { place in
      sorted.contains { $0.numbers[place] != first.numbers[place] }
    }
    let words = first.words
    let title = words.indices.reduce(into: "") { text, place in
      text += words[place]
      guard place < first.numbers.count else { return }
      text += varying.contains(place) ? "*" : "\(first.numbers[place])"
    }
    let isNumbered = !varying.isEmpty && varying.count <= 2
    self.init(
      title: title, metrics: sorted.map(\.name),
      numbers: isNumbered ? sorted.map { name in varying.map { name.numbers[$0] } } : [],
      letters: isNumbered ? varying.map { Self.letter(after: words[$0]) } : [])
  }

  /// What is counted by a number after these words.
  private static func letter(after words: String) -> String {
    let word = words.lowercased().split { !$0.isLetter }.last.map(String.init) ?? ""
    switch word {
    case "layer", "layers", "block", "blocks", "h", "l": return "L"
    case "expert", "experts", "e": return "E"
    case "head", "heads": return "H"
    case "rank", "gpu", "device", "worker": return word + " "
    default: return ""
    }
  }

  /// What a member is called beside its family's title: `L22`, `L3 E4`, `qkv`.
  func label(of index: Int) -> String {
    guard numbers.indices.contains(index) else { return variablePart(of: metrics[index]) }
    return zip(letters, numbers[index]).map { "\($0)\($1)" }.joined(separator: " ")
  }

  private func variablePart(of name: MetricName) -> String {
    let words = MetricCatalog.variableWords(of: name)
    guard words.isEmpty else { return words }
    let stem = title.prefix { $0 != "*" }
    return name.path.hasPrefix(stem) ? String(name.path.dropFirst(stem.count)) : name.path
  }

  /// The title under its group's heading.
  var titleInGroup: String {
    group.isEmpty || !title.hasPrefix(group) ? title : String(title.dropFirst(group.count))
  }
}

extension WallTile {
  /// What a person looks at first.
  private static let first = [
    MetricCatalog.loss, MetricCatalog.evalLoss, MetricCatalog.learningRate,
    MetricCatalog.attentionLogitMax, MetricCatalog.gradNorm,
  ]

  /// The metrics that matter first, then in the order of the table, families folded, then those
  /// that only the run knows.
  static func folded(_ names: [MetricName]) -> [WallTile] {
    var families: [String: (family: MetricFamily, names: [MetricName])] = [:]
    var others: [String: [NumberedName]] = [:]
    for name in names {
      if let family = MetricCatalog.family(of: name) {
        families[family.pattern, default: (family, [])].names.append(name)
      } else {
        let numbered = NumberedName(name)
        others[numbered.pattern, default: []].append(numbered)
      }
    }
    func rank(_ pattern: String) -> Int {
      if let place = first.firstIndex(where: { $0.path == pattern }) { return place - first.count }
      return MetricCatalog.place(ofPattern: pattern) ?? MetricCatalog.families.count
    }
    let found =
      families.map { (key: $0.key, tiles: [WallTile(family: $0.value.names, $0.value.family)]) }
      + others.map { (key: $0.key, tiles: tiles(of: $0.value)) }
    return found.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }.flatMap(\.tiles)
  }

  /// Names that only the run knows and that differ in a number are one from four on: `acc_top1` and
  /// `acc_top5` are two things, the layers of a network are one.
  private static func tiles(of metrics: [NumberedName]) -> [WallTile] {
    guard metrics.count >= 4 else { return metrics.sorted().map { WallTile($0.name) } }
    return [WallTile(metrics)]
  }
}

/// What a tile says of itself in a word: the value at the cursor, else the present one; of a family the
/// member with the largest, of the loads of experts the one with the least.
struct TileReading: Sendable, Equatable {
  var text: String
  var isFinite = true
  /// The place of the member that is named.
  var member: Int?

  init(_ tile: WallTile, _ context: PaneContext) {
    guard tile.isFamily else {
      let value = context.reading(tile.metrics[0])
      text = value.map { NumberText.compact($0, digits: 4) } ?? "–"
      isFinite = value?.isFinite ?? true
      return
    }
    var found: (index: Int, value: Double)?
    for (index, name) in tile.metrics.enumerated() {
      guard let value = context.reading(name) else { continue }
      // What is no number is told before all others.
      let isBeyond =
        found.map {
          $0.value.isFinite && (tile.isLoad ? !(value >= $0.value) : !(value <= $0.value))
        }
        ?? true
      if isBeyond { found = (index, value) }
    }
    text = "–"
    guard let found else { return }
    text = "\(tile.label(of: found.index)) \(NumberText.compact(found.value))"
    isFinite = found.value.isFinite
    member = found.index
  }
}
