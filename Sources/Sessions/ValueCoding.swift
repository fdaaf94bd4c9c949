/// How a column's values are coded; its number stands before them in the file.
enum ValueCoding: UInt8 {
  /// Float32 exactly, as ``FloatBits``.
  case single = 4
  /// Float64, as ``FloatBits``.
  case double = 8
  /// ``ShortDecimals``; from format 5 on.
  case decimal = 10

  /// Writes all lists of `values` in the one coding that is given back.
  static func encode(_ values: [[Double]], into writer: inout BitWriter) -> ValueCoding {
    let isSingle = values.joined().allSatisfy { Double(Float($0)).bitPattern == $0.bitPattern }
    guard !isSingle else { return write(values, isSingle: true, into: &writer) }
    var decimals: [ShortDecimals] = []
    for list in values {
      guard let coded = ShortDecimals(list) else {
        return write(values, isSingle: false, into: &writer)
      }
      decimals.append(coded)
    }
    for coded in decimals { coded.encode(into: &writer) }
    return .decimal
  }

  private static func write(
    _ values: [[Double]], isSingle: Bool, into writer: inout BitWriter
  ) -> ValueCoding {
    for list in values { FloatBits(isSingle: isSingle).encode(list, into: &writer) }
    return isSingle ? .single : .double
  }

  /// Reads a list of `count` values; nil where the bits say nothing sensible.
  func decode(count: Int, from reader: inout BitReader) -> [Double]? {
    switch self {
    case .single: FloatBits(isSingle: true).decode(count: count, from: &reader)
    case .double: FloatBits(isSingle: false).decode(count: count, from: &reader)
    case .decimal: ShortDecimals.decode(count: count, from: &reader)
    }
  }
}
