import Signals
import Telemetry

/// The tensors that a family of metrics measures, in the order in which a step goes through them,
/// folded into so few rows as there is room for.
struct TensorRows: Sendable {
  struct Row: Sendable, Equatable {
    var name: String
    var metrics: [MetricName]
  }

  let rows: [Row]

  /// - Parameters: `metrics` are those of one family; `limit` is how many rows there may be, where
  ///   folding can do it
  init(_ metrics: [MetricName], atMost limit: Int) {
    let sorted = metrics.map { (tensor: Tensor($0), metric: $0) }
      .sorted { $0.tensor < $1.tensor }
    let folds = Fold.allCases.lazy.map { fold in
      Self.rows(sorted.map { (name: $0.tensor.name(fold), metric: $0.metric) })
    }
    rows = folds.first { $0.count <= limit } ?? folds.last ?? []
  }

  /// Every tensor by itself, but an expert's as one.
  init(_ metrics: [MetricName], foldsExperts: Bool) {
    let sorted = metrics.map { (tensor: Tensor($0), metric: $0) }.sorted { $0.tensor < $1.tensor }
    let fold: Fold = foldsExperts ? .expert : .none
    rows = Self.rows(sorted.map { (name: $0.tensor.name(fold), metric: $0.metric) })
  }

  private static func rows(_ named: [(name: String, metric: MetricName)]) -> [Row] {
    var rows: [Row] = []
    var places: [String: Int] = [:]
    for (name, metric) in named {
      if let place = places[name] {
        rows[place].metrics.append(metric)
      } else {
        places[name] = rows.count
        rows.append(Row(name: name, metrics: [metric]))
      }
    }
    return rows
  }

  /// How much is told apart, the most first.
  private enum Fold: CaseIterable {
    case none, expert, experts, block, layer
  }

  /// A tensor's name taken apart: `L2.E5.down`.
  private struct Tensor: Comparable {
    var layer: Int?
    var expert: Int?
    var part: String
    private var place: Place

    private typealias Place = (Int, Int, Int, Int, String)

    init(_ metric: MetricName) {
      var parts = MetricCatalog.variableWords(of: metric).split(separator: ".").map(String.init)[
        ...]
      func number(_ letter: Character) -> Int? {
        guard let first = parts.first, first.first == letter,
          let number = Int(first.dropFirst()), parts.count > 1
        else { return nil }
        parts.removeFirst()
        return number
      }
      layer = number("L")
      expert = number("E")
      part = parts.joined(separator: ".")
      place = Self.place(layer, expert, part)
    }

    static func == (one: Tensor, other: Tensor) -> Bool { one.place == other.place }

    private static let order = [
      "embed", "norm1", "qkv", "q norm", "k norm", "out", "norm2", "router", "up", "down", "norm",
      "head",
    ]

    private static let attention: Set = ["norm1", "qkv", "q norm", "k norm", "out"]

    private static func place(_ layer: Int?, _ expert: Int?, _ part: String) -> Place {
      let known = order.firstIndex(of: part) ?? order.count
      let depth = layer ?? (part == "embed" ? -1 : .max)
      return (depth, expert == nil ? 0 : 1, expert ?? 0, known, part)
    }

    static func < (one: Tensor, other: Tensor) -> Bool {
      one.place < other.place
    }

    func name(_ fold: Fold) -> String {
      // The gradient's norm is another thing.
      guard let layer else { return part == "norm" ? "final norm" : part }
      return switch (fold, expert) {
      case (.layer, _): "L\(layer)"
      case (.block, _):
        "L\(layer) " + (Self.attention.contains(part) ? "attention" : "feed-forward")
      case (_, nil): "L\(layer) \(part)"
      case (.none, let expert?): "L\(layer) E\(expert) \(part)"
      case (.expert, let expert?): "L\(layer) E\(expert)"
      case (.experts, _): "L\(layer) experts"
      }
    }
  }
}
