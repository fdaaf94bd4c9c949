/// Codes floats as integers whose order is that of the floats, so that neighbours differ by small
/// numbers; every bit comes back.
struct FloatBits {
  /// Whether each value is a Float32 exactly.
  let isSingle: Bool

  private var coding: IntegerCoding { IntegerCoding(width: isSingle ? 32 : 64) }

  func encode(_ values: [Double], into writer: inout BitWriter) {
    let bits =
      isSingle
      ? values.map { UInt64(Self.sortable(Float($0).bitPattern)) }
      : values.map { Self.sortable($0.bitPattern) }
    coding.encode(bits, into: &writer)
  }

  func decode(count: Int, from reader: inout BitReader) -> [Double]? {
    guard let bits = coding.decode(count: count, from: &reader) else { return nil }
    return isSingle
      ? bits.map { Double(Float(bitPattern: Self.unsorted(UInt32(truncatingIfNeeded: $0)))) }
      : bits.map { Double(bitPattern: Self.unsorted($0)) }
  }

  private static func sortable<Bits: FixedWidthInteger & UnsignedInteger>(_ bits: Bits) -> Bits {
    let sign = Bits(1) << (Bits.bitWidth - 1)
    return bits & sign == 0 ? bits | sign : ~bits
  }

  private static func unsorted<Bits: FixedWidthInteger & UnsignedInteger>(_ bits: Bits) -> Bits {
    let sign = Bits(1) << (Bits.bitWidth - 1)
    return bits & sign == 0 ? ~bits : bits & ~sign
  }
}
