/// The path of a metric, as TensorBoard and W&B write them: `attention_logit_max/3`.
///
/// Layers and experts are numbered from 0. Names are put together and taken apart by
/// ``MetricCatalog`` alone.
package struct MetricName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral {
  package let path: String

  package init(_ path: String) {
    self.path = path
  }

  package init(stringLiteral path: String) {
    self.path = path
  }

  package static func < (left: MetricName, right: MetricName) -> Bool {
    left.path < right.path
  }
}

extension MetricName: CustomStringConvertible {
  package var description: String { path }
}

extension MetricName: Codable {
  package init(from decoder: any Decoder) throws {
    path = try decoder.singleValueContainer().decode(String.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(path)
  }
}
