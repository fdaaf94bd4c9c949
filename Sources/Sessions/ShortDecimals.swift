/// Floats that were written with a few decimals, as those of a log are, coded as whole numbers over
/// one power of ten.
///
/// A value is d / 10ᵉ with one e for all. A Float64 holds both numbers exactly and their quotient is
/// rounded once, so that every bit comes back. Values that are none such (NaN, infinities, −0, a long
/// fraction) lie beside the others with their places; where they are more than one in 32, nothing
/// is coded this way.
///
/// Layout: e in 5 bits, the number of other values in 10, a place of 10 bits and 64 bits for each of
/// them, then the whole numbers in ``IntegerCoding``.
/// - Source: A. Afroozeh, L. Kuffo and P. Boncz, "ALP: Adaptive Lossless floating-Point Compression",
///   2023, section 3; without its second factor, whose zeros ``IntegerCoding`` takes out.
struct ShortDecimals {
  private struct Exception {
    let place: Int
    let value: Double
  }

  private let exponent: Int
  private var numbers: [Int64] = []
  private var exceptions: [Exception] = []

  /// Powers of ten that a Float64 holds exactly.
  private static let powers = (0...22).map { (0..<$0).reduce(1.0) { power, _ in power * 10 } }
  /// So many digits that chance seldom makes a number of them out of any fraction.
  private static let limit = Double(1 << 51)
  private static let sampled = 32
  private static let mostPlaces = 1024

  /// - Returns: nil where too many values are no short decimals.
  init?(_ values: [Double]) {
    guard values.count <= Self.mostPlaces, var exponent = Self.usualExponent(of: values) else {
      return nil
    }
    while true {
      let (found, larger) = Self.coded(values, exponent: exponent)
      if let found {
        self = found
        return
      }
      guard let larger else { return nil }
      exponent = larger
    }
  }

  private init(exponent: Int) { self.exponent = exponent }

  /// The largest power that values from all over the chunk need, without the one that needs most;
  /// nil where two of them are no short decimals.
  private static func usualExponent(of values: [Double]) -> Int? {
    let distance = max(1, values.count / sampled)
    let needed = stride(from: 0, to: values.count, by: distance).map { exponent(of: values[$0]) }
    let mostMisses = values.count < sampled ? 0 : 1
    guard needed.count(where: { $0 == nil }) <= mostMisses else { return nil }
    let sorted = needed.map { $0 ?? powers.count }.sorted()
    return sorted.dropLast(mostMisses).last
  }

  private static func exponent(of value: Double) -> Int? {
    powers.indices.first { number(value, exponent: $0) != nil }
  }

  /// All values with this power; where too many do not fit, the power that the last of those needs.
  private static func coded(
    _ values: [Double], exponent: Int
  ) -> (decimals: ShortDecimals?, larger: Int?) {
    var coded = ShortDecimals(exponent: exponent)
    coded.numbers.reserveCapacity(values.count)
    for (place, value) in values.enumerated() {
      if let number = number(value, exponent: exponent) {
        coded.numbers.append(number)
        continue
      }
      guard coded.exceptions.count < values.count / sampled else {
        let needed = Self.exponent(of: value)
        return (nil, needed.flatMap { $0 > exponent ? $0 : nil })
      }
      coded.exceptions.append(Exception(place: place, value: value))
      coded.numbers.append(coded.numbers.last ?? 0)
    }
    return (coded, nil)
  }

  private static func number(_ value: Double, exponent: Int) -> Int64? {
    let scaled = (value * powers[exponent]).rounded()
    guard abs(scaled) < limit else { return nil }
    let number = Int64(scaled)
    let back = Double(number) / powers[exponent]
    return back.bitPattern == value.bitPattern ? number : nil
  }

  func encode(into writer: inout BitWriter) {
    writer.write(UInt64(exponent), count: 5)
    writer.write(UInt64(exceptions.count), count: 10)
    for exception in exceptions {
      writer.write(UInt64(exception.place), count: 10)
      writer.write(exception.value.bitPattern, count: 64)
    }
    IntegerCoding(width: 64).encode(numbers.map { UInt64(bitPattern: $0) }, into: &writer)
  }

  /// Reads what `encode(into:)` wrote; nil where it cannot have.
  static func decode(count: Int, from reader: inout BitReader) -> [Double]? {
    let exponent = Int(reader.read(5))
    guard exponent < powers.count else { return nil }
    let exceptions = (0..<Int(reader.read(10))).map { _ in
      Exception(
        place: Int(reader.read(10)), value: Double(bitPattern: reader.read(64)))
    }
    guard exceptions.allSatisfy({ $0.place < count }),
      let numbers = IntegerCoding(width: 64).decode(count: count, from: &reader)
    else { return nil }
    let power = powers[exponent]
    var values = numbers.map { Double(Int64(bitPattern: $0)) / power }
    for exception in exceptions { values[exception.place] = exception.value }
    return values
  }
}
