/// A JSON value as trainers write it: bare `NaN`, `Infinity` and `-Infinity` are numbers.
package enum JSONValue: Equatable, Sendable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([JSONValue])
  /// Members in the order in which they stand.
  case object([Member])

  package struct Member: Equatable, Sendable {
    package let key: String
    package let value: JSONValue
  }

  /// Why some bytes are no JSON, and where.
  package struct Flaw: Error, Equatable {
    package let offset: Int
    package let what: String
  }

  package init(_ bytes: [UInt8]) throws(Flaw) {
    try self.init(bytes, in: bytes.indices)
  }

  package init(_ bytes: [UInt8], in range: Range<Int>) throws(Flaw) {
    var scanner = JSONScanner(bytes, in: range)
    self = try scanner.document()
  }

  package subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  package var members: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// The number it is; on and off count as 1 and 0.
  package var number: Double? {
    switch self {
    case .number(let number): number
    case .flag(let flag): flag ? 1 : 0
    case .null, .text, .list, .object: nil
    }
  }

  package var text: String? {
    guard case .text(let text) = self else { return nil }
    return text
  }

  /// The whole number it is, if it is one that a step can be.
  package var step: Int? {
    guard case .number(let number) = self, number == number.rounded(), abs(number) <= 0x1p52 else {
      return nil
    }
    return Int(number)
  }

  /// Hands out what is in nested objects under the path of its keys; an object with a `_type`, a
  /// picture or a table, is one thing.
  package func eachLeaf(_ path: String = "", separator: String, _ body: (String, JSONValue) -> Void)
  {
    guard case .object(let members) = self, !members.contains(where: { $0.key == "_type" }) else {
      return body(path, self)
    }
    for member in members {
      let name = path.isEmpty ? member.key : path + separator + member.key
      member.value.eachLeaf(name, separator: separator, body)
    }
  }
}
