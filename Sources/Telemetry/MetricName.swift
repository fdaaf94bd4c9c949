/// The path of a metric, as TensorBoard and W&B write them: `attention_logit_max/3`.
///
/// Layers and experts are numbered from 0. Names are put together and taken apart by
/// ``MetricCatalog`` alone.
public struct MetricName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral {
  public let path: String

  public init(_ path: String) {
    self.path = path
  }

  public init(stringLiteral path: String) {
    self.path = path
  }

  public static func < (left: MetricName, right: MetricName) -> Bool {
    left.path < right.path
  }
}

extension MetricName: CustomStringConvertible {
  public var description: String { path }
}

extension MetricName: Codable {
  public init(from decoder: any Decoder) throws {
    path = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(path)
  }
}
