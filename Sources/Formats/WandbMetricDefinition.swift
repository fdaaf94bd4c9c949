import Telemetry

/// What a `define_metric` of W&B's says of one metric, or of those that match a pattern.
struct WandbMetricDefinition {
  private var pattern = ""
  private var axis: String?
  private var isHidden = false
  private var summaries: [String] = []

  private static let summaryWords = [1: "min", 2: "max", 3: "mean", 5: "last", 8: "first"]

  /// Nil where it names nothing.
  init?(_ bytes: [UInt8], _ range: Range<Int>) {
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      guard case .bytes(let content) = field.value else { continue }
      switch field.number {
      case 1, 2: pattern = String(bytes, in: content)
      case 4: axis = String(bytes, in: content)
      case 6: isHidden = Self.flags(bytes, content).contains(2)
      case 7: summaries = Self.flags(bytes, content).sorted().compactMap { Self.summaryWords[$0] }
      default: break
      }
    }
    if pattern.isEmpty { return nil }
  }

  /// The numbers of the fields that are true.
  private static func flags(_ bytes: [UInt8], _ range: Range<Int>) -> Set<Int> {
    var flags: Set<Int> = []
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      if case .varint(1...) = field.value { flags.insert(field.number) }
    }
    return flags
  }

  func add(to description: inout RunDescription) {
    if let axis, !axis.isEmpty { description.environment[.axis(of: pattern)] = axis }
    if isHidden { description.environment[.hidden(pattern)] = "yes" }
    if !summaries.isEmpty {
      description.environment[.summary(of: pattern)] = summaries.joined(separator: ",")
    }
  }
}
