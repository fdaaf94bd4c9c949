import Signals

/// A stretch of one metric's samples as it lies in the file: coded without loss, every bit of every
/// float comes back.
///
/// Layout: a byte with the ``ValueCoding``, the number of samples as two bytes, low byte first, then
/// the steps in ``IntegerCoding`` and the values.
struct ColumnChunk: Equatable {
  /// Samples in a closed chunk: small enough to be read alone, large enough to be coded well.
  static let capacity = 1024
  private static let headerLength = 3

  let steps: [Int]
  let values: [Double]

  init(steps: some Collection<Int>, values: some Collection<Double>) {
    precondition(steps.count == values.count, "\(steps.count) steps for \(values.count) values")
    precondition(steps.count <= Self.capacity, "\(steps.count) samples in a chunk")
    self.steps = Array(steps)
    self.values = Array(values)
  }

  var summary: ColumnSummary {
    values.reduce(into: ColumnSummary()) { $0.add($1) }
  }

  static func == (left: ColumnChunk, right: ColumnChunk) -> Bool {
    left.steps == right.steps && left.values.map(\.bitPattern) == right.values.map(\.bitPattern)
  }
}

extension ColumnChunk {
  func encoded() -> [UInt8] {
    var writer = BitWriter()
    IntegerCoding(width: 64).encode(steps.map { UInt64(bitPattern: Int64($0)) }, into: &writer)
    let coding = ValueCoding.encode([values], into: &writer)
    let count = UInt16(values.count)
    return [coding.rawValue, UInt8(count & 0xff), UInt8(count >> 8)] + writer.bytes()
  }

  /// Reads what `encoded()` wrote; nil where it cannot have.
  init?(encoded bytes: some RandomAccessCollection<UInt8>) {
    let header = Array(bytes.prefix(Self.headerLength))
    guard header.count == Self.headerLength,
      let coding = ValueCoding(rawValue: header[0])
    else { return nil }
    let count = Int(header[1]) | Int(header[2]) << 8
    guard count <= Self.capacity else { return nil }
    var reader = BitReader(bytes.dropFirst(Self.headerLength))
    guard let steps = IntegerCoding(width: 64).decode(count: count, from: &reader),
      let values = coding.decode(count: count, from: &reader)
    else { return nil }
    self.steps = steps.map { Int(Int64(bitPattern: $0)) }
    self.values = values
  }
}
