/// A lossless coding of integers that follow each other closely: steps, and floats as sortable
/// bits.
///
/// Each number is predicted from those before it; what the prediction misses is written in
/// Golomb-Rice codes whose parameter is chosen for every 32 numbers. Trailing zeros that all
/// numbers share (counts over a power of two) are taken out first. A code of a number far off the
/// prediction (NaN, infinity, a spike) costs 15 bits more than the number itself.
/// - Cost: noisy floats take their noise's bits and 1 to 2 more; equal or evenly spaced numbers
///   next to nothing.
/// - Source: R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979.
struct IntegerCoding {
  /// How the next number is guessed.
  enum Predictor: UInt64, CaseIterable {
    /// The last one.
    case previous
    /// The last one and the last difference.
    case linear
    /// A running average over about eight.
    case average
  }

  static let blockLength = 32
  private static let longestUnary = 15
  /// Written before a block that needs no bits at all, with the number of such blocks after it.
  private static let emptyBlock: UInt64 = 0
  private static let mostEmptyBlocks = 31

  /// Bits of a number: 32 or 64.
  let width: Int

  func encode(_ numbers: [UInt64], into writer: inout BitWriter) {
    guard let first = numbers.first else { return }
    let union = numbers.reduce(0, |)
    let shift = union == 0 ? 0 : min(union.trailingZeroBitCount, width - 1)
    let shifted = shift == 0 ? numbers : numbers.map { $0 >> UInt64(shift) }
    let bits = width - shift
    let predictor = Self.isEven(shifted) ? .linear : bestPredictor(of: shifted, bits: bits)
    writer.write(predictor.rawValue, count: 2)
    writer.write(UInt64(shift), count: 6)
    writer.write(first >> UInt64(shift), count: bits)
    write(residuals(of: shifted, bits: bits, by: predictor), bits: bits, into: &writer)
  }

  /// - Returns: nil where the bits end early or say nothing sensible.
  func decode(count: Int, from reader: inout BitReader) -> [UInt64]? {
    guard count > 0 else { return [] }
    guard let predictor = Predictor(rawValue: reader.read(2)) else { return nil }
    let shift = Int(reader.read(6))
    guard shift < width else { return nil }
    let bits = width - shift
    var prediction = Prediction(predictor: predictor, first: reader.read(bits), bits: bits)
    var numbers: [UInt64] = []
    numbers.reserveCapacity(count)
    numbers.append(prediction.last << UInt64(shift))
    var emptyLeft = 0
    while numbers.count < count {
      let length = min(Self.blockLength, count - numbers.count)
      var parameter = Self.emptyBlock
      if emptyLeft > 0 {
        emptyLeft -= 1
      } else {
        parameter = reader.read(7)
        if parameter == Self.emptyBlock { emptyLeft = Int(reader.read(5)) }
      }
      guard parameter <= UInt64(bits) + 1 else { return nil }
      for _ in 0..<length {
        let residual =
          parameter == Self.emptyBlock
          ? 0 : Self.readCode(Int(parameter) - 1, bits: bits, from: &reader)
        numbers.append(prediction.next(residual: residual) << UInt64(shift))
      }
      if reader.isOverrun { return nil }
    }
    return reader.isOverrun ? nil : numbers
  }

  /// Whether the numbers ascend by the same distance throughout, as steps mostly do: then the linear
  /// prediction misses the second alone, and no other misses less. Of two numbers all miss alike.
  private static func isEven(_ numbers: [UInt64]) -> Bool {
    guard numbers.count > 2, numbers[1] > numbers[0], numbers[1] < 1 << 31 else { return false }
    let distance = numbers[1] - numbers[0]
    return zip(numbers.dropFirst(), numbers.dropFirst(2)).allSatisfy { $1 &- $0 == distance }
  }

  /// The one that misses least; of several the first.
  private func bestPredictor(of numbers: [UInt64], bits: Int) -> Predictor {
    var previous = Prediction(predictor: .previous, first: numbers[0], bits: bits)
    var linear = Prediction(predictor: .linear, first: numbers[0], bits: bits)
    var average = Prediction(predictor: .average, first: numbers[0], bits: bits)
    var costs = (previous: 0, linear: 0, average: 0)
    for number in numbers.dropFirst() {
      costs.previous += Self.size(of: previous.residual(of: number))
      costs.linear += Self.size(of: linear.residual(of: number))
      costs.average += Self.size(of: average.residual(of: number))
    }
    if costs.previous <= min(costs.linear, costs.average) { return .previous }
    return costs.linear <= costs.average ? .linear : .average
  }

  // Residuals are folded: 0, -1, 1, -2 … become 0, 1, 2, 3 …

  private func residuals(of numbers: [UInt64], bits: Int, by predictor: Predictor) -> [UInt64] {
    var prediction = Prediction(predictor: predictor, first: numbers[0], bits: bits)
    return numbers.dropFirst().map { prediction.residual(of: $0) }
  }

  /// About the bits that the code of a residual takes.
  private static func size(of residual: UInt64) -> Int { 64 - residual.leadingZeroBitCount }

  private func write(_ residuals: [UInt64], bits: Int, into writer: inout BitWriter) {
    var blocks = stride(from: 0, to: residuals.count, by: Self.blockLength).map { start in
      residuals[start..<min(start + Self.blockLength, residuals.count)]
    }[...]
    while let block = blocks.popFirst() {
      guard block.contains(where: { $0 != 0 }) else {
        let followers = blocks.prefix(Self.mostEmptyBlocks).prefix { block in
          !block.contains { $0 != 0 }
        }
        writer.write(Self.emptyBlock, count: 7)
        writer.write(UInt64(followers.count), count: 5)
        blocks = blocks.dropFirst(followers.count)
        continue
      }
      let parameter = Self.bestParameter(for: block, bits: bits)
      writer.write(UInt64(parameter) + 1, count: 7)
      for residual in block {
        Self.writeCode(residual, parameter, bits: bits, into: &writer)
      }
    }
  }

  private static func bestParameter(for block: ArraySlice<UInt64>, bits: Int) -> Int {
    let middle = block.reduce(0) { $0 + size(of: $1) } / block.count
    var best = (parameter: middle, cost: Int.max)
    for parameter in max(0, middle - 3)...min(bits, middle + 1) {
      let cost = block.reduce(0) { $0 + codeLength($1, parameter, bits: bits) }
      if cost < best.cost { best = (parameter, cost) }
    }
    return best.parameter
  }

  private static func codeLength(_ residual: UInt64, _ parameter: Int, bits: Int) -> Int {
    let quotient = residual >> UInt64(parameter)
    return quotient < UInt64(longestUnary)
      ? Int(quotient) + 1 + parameter : longestUnary + bits
  }

  private static func writeCode(
    _ residual: UInt64, _ parameter: Int, bits: Int, into writer: inout BitWriter
  ) {
    let quotient = residual >> UInt64(parameter)
    guard quotient < UInt64(longestUnary) else {
      writer.write(.max, count: longestUnary)
      writer.write(residual, count: bits)
      return
    }
    writer.write(.max << 1, count: Int(quotient) + 1)
    writer.write(residual, count: parameter)
  }

  private static func readCode(_ parameter: Int, bits: Int, from reader: inout BitReader) -> UInt64
  {
    let quotient = (~reader.upcoming).leadingZeroBitCount
    guard quotient < longestUnary else {
      reader.skip(longestUnary)
      return reader.read(bits)
    }
    reader.skip(quotient + 1)
    return UInt64(quotient) << UInt64(parameter) | reader.read(parameter)
  }
}

/// The state from which the next number is guessed; all arithmetic wraps at `bits`.
private struct Prediction {
  private let predictor: IntegerCoding.Predictor
  private let unused: UInt64
  private(set) var last: UInt64
  private var difference: UInt64 = 0
  private var average: UInt64

  init(predictor: IntegerCoding.Predictor, first: UInt64, bits: Int) {
    self.predictor = predictor
    unused = UInt64(64 - bits)
    last = first
    average = first
  }

  private var guess: UInt64 {
    switch predictor {
    case .previous: last
    case .linear: last &+ difference
    case .average: average
    }
  }

  mutating func residual(of number: UInt64) -> UInt64 {
    let signed = signed(number &- guess)
    advance(to: number)
    return UInt64(bitPattern: (signed << 1) ^ (signed >> 63))
  }

  mutating func next(residual: UInt64) -> UInt64 {
    let signed = Int64(bitPattern: residual >> 1) ^ -Int64(bitPattern: residual & 1)
    let number = ((guess &+ UInt64(bitPattern: signed)) << unused) >> unused
    advance(to: number)
    return number
  }

  private mutating func advance(to number: UInt64) {
    difference = number &- last
    average = average &+ UInt64(bitPattern: signed(number &- average) >> 3)
    last = number
  }

  private func signed(_ number: UInt64) -> Int64 {
    Int64(bitPattern: number << unused) >> Int64(unused)
  }
}
