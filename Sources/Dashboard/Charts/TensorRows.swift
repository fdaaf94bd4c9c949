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
    let tensors = Self.sorted(metrics)
    let fold = Fold.allCases.first { Self.count(tensors, $0) <= limit } ?? .layer
    rows = Self.rows(tensors, fold)
  }

  /// Every tensor by itself, but an expert's as one.
  init(_ metrics: [MetricName], foldsExperts: Bool) {
    rows = Self.rows(Self.sorted(metrics), foldsExperts ? .expert : .none)
  }

  private static func sorted(_ metrics: [MetricName]) -> [Tensor] {
    let stem = metrics.first.flatMap { MetricCatalog.family(of: $0)?.stem } ?? ""
    return metrics.map { Tensor($0, stem: stem) }.sorted()
  }

  /// How many rows a fold makes: tensors that share one lie beside each other.
  private static func count(_ tensors: [Tensor], _ fold: Fold) -> Int {
    guard !tensors.isEmpty else { return 0 }
    return 1 + zip(tensors, tensors.dropFirst()).count { !$0.sharesRow(with: $1, fold) }
  }

  private static func rows(_ tensors: [Tensor], _ fold: Fold) -> [Row] {
    var rows: [Row] = []
    var last: Tensor?
    for tensor in tensors {
      if last?.sharesRow(with: tensor, fold) == true {
        rows[rows.count - 1].metrics.append(tensor.metric)
      } else {
        rows.append(Row(name: tensor.name(fold), metrics: [tensor.metric]))
      }
      last = tensor
    }
    return rows
  }

  /// How much is told apart, the most first.
  private enum Fold: CaseIterable {
    case none, expert, experts, block, layer
  }

  /// A tensor's name taken apart: `L2.E5.down`.
  private struct Tensor: Comparable {
    let metric: MetricName
    let layer: Int?
    let expert: Int?
    let part: String
    private let place: Place

    private typealias Place = (Int, Int, Int, Int, String)

    /// - Cost: a screen asks for each of some hundred; nothing is allocated.
    init(_ metric: MetricName, stem: String) {
      self.metric = metric
      let place = MetricCatalog.tensorPlace(of: metric, stem: stem)
      (layer, expert) = (place.layer, place.expert)
      let words = place.part
      part =
        words.utf8.contains(UInt8(ascii: "_"))
        ? String(words.map { $0 == "_" ? " " : $0 }) : String(words)
      self.place = Self.place(layer, expert, part)
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

    private var isOfAttention: Bool { Self.attention.contains(part) }

    func sharesRow(with other: Tensor, _ fold: Fold) -> Bool {
      guard let layer, layer == other.layer else { return false }
      return switch fold {
      case .none: false
      case .expert: expert != nil && expert == other.expert
      case .experts: expert != nil && other.expert != nil
      case .block: isOfAttention == other.isOfAttention
      case .layer: true
      }
    }

    func name(_ fold: Fold) -> String {
      // The gradient's norm is another thing.
      guard let layer else { return part == "norm" ? "final norm" : part }
      return switch (fold, expert) {
      case (.layer, _): "L\(layer)"
      case (.block, _):
        "L\(layer) " + (isOfAttention ? "attention" : "feed-forward")
      case (_, nil): "L\(layer) \(part)"
      case (.none, let expert?): "L\(layer) E\(expert) \(part)"
      case (.expert, let expert?): "L\(layer) E\(expert)"
      case (.experts, _): "L\(layer) experts"
      }
    }
  }
}
