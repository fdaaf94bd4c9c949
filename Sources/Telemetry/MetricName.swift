/// The path of a metric, as TensorBoard and W&B write them: `attention_logit_max/3`.
///
/// Layers and experts are numbered from 0. Names are put together and taken apart by
/// ``MetricCatalog`` alone.
public struct MetricName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral {
  /// The name with the parts of its family, such as `grad_norm/L3`.
  public let path: String

  /// The metric of this path.
  public init(_ path: String) {
    self.path = path
  }

  /// The metric of this path.
  public init(stringLiteral path: String) {
    self.path = path
  }

  /// By the letters of the paths.
  public static func < (left: MetricName, right: MetricName) -> Bool {
    left.path < right.path
  }
}

extension MetricName: CustomStringConvertible {
  /// The path.
  public var description: String { path }
}

extension MetricName: Codable {
  /// Reads the path.
  public init(from decoder: any Decoder) throws {
    path = try decoder.singleValueContainer().decode(String.self)
  }

  /// Writes the path.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(path)
  }
}
