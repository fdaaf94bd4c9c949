import Testing

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ColumnChunkTests {
  private func roundTrip(_ steps: [Int], _ values: [Double]) -> Bool {
    let chunk = ColumnChunk(steps: steps, values: values)
    return ColumnChunk(encoded: chunk.encoded()) == chunk
  }

  @Test func `every length comes back`() {
    var random = RandomBits(seed: 1)
    for length in Array(0...70) + [ColumnChunk.capacity] {
      let values = (0..<length).map { _ in Double.random(in: -1...1, using: &random) }
      #expect(roundTrip(Array(0..<length), values), "length \(length)")
    }
  }

  @Test(arguments: 0..<50) func `random bit patterns come back as Float64`(seed: UInt64) {
    var random = RandomBits(seed: seed)
    let length = Int.random(in: 1...300, using: &random)
    let values = (0..<length).map { _ in Double(bitPattern: random.next()) }
    let steps = (0..<length).map { _ in Int(truncatingIfNeeded: random.next()) }
    #expect(roundTrip(steps, values))
  }

  @Test(arguments: 0..<50) func `random bit patterns come back as Float32`(seed: UInt64) {
    var random = RandomBits(seed: seed)
    let length = Int.random(in: 1...300, using: &random)
    let values = (0..<length).map { _ in
      Double(Float(bitPattern: UInt32(truncatingIfNeeded: random.next())))
    }
    #expect(roundTrip(Array(0..<length), values))
    let finite = values.map { $0.isNaN ? 0 : $0 }
    #expect(ColumnChunk(steps: 0..<length, values: finite).encoded().first == 4)
  }

  @Test func `special values come back between ordinary ones`() {
    let special: [Double] = [
      .nan, -.nan, .signalingNaN, Double(nan: 0x1234, signaling: false), .infinity, -.infinity, 0,
      -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude,
      .leastNormalMagnitude, Double(Float.leastNonzeroMagnitude), Double(Float.nan),
      Double(Float.greatestFiniteMagnitude), 1 + .ulpOfOne,
    ]
    for value in special {
      #expect(roundTrip([1, 2, 3], [2.5, value, 2.5]), "\(value)")
      #expect(roundTrip(Array(0..<100), Array(repeating: value, count: 100)), "\(value)")
    }
    #expect(roundTrip(Array(0..<special.count), special))
  }

  @Test func `a value that no Float32 holds makes the chunk a Float64 one`() {
    let exact = (0..<100).map { Double(Float($0) / 3) }
    #expect(ColumnChunk(steps: 0..<100, values: exact).encoded().first == 4)
    #expect(ColumnChunk(steps: 0..<101, values: exact + [0.1]).encoded().first == 8)
  }

  @Test(arguments: [1, 7, 100, -3]) func `evenly spaced steps cost 17 bytes`(stride: Int) {
    let steps = (0..<1024).map { 12_345 + $0 * stride }
    let constant = ColumnChunk(steps: steps, values: steps.map { _ in 0.5 })
    #expect(constant.encoded().count <= 32)
  }

  @Test func `noise costs its own bits and little more`() {
    var random = RandomBits(seed: 3)
    let values = (0..<1024).map { _ in Double(Float.random(in: 1..<2, using: &random)) }
    let bytes = ColumnChunk(steps: 0..<1024, values: values).encoded().count
    #expect(Double(bytes) < 1024 * 25.5 / 8 + 32)
  }

  /// `count` numbers of so many decimals around 2.3, as a log's are.
  private func decimals(_ decimals: Int, count: Int = 1024, seed: UInt64 = 6) -> [Double] {
    var random = RandomBits(seed: seed)
    let power = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
    return (0..<count).map { _ in
      (Double.random(in: 1.8..<2.8, using: &random) * power).rounded() / power
    }
  }

  @Test(arguments: 1...14) func `short decimals come back`(count: Int) {
    for length in [1, 2, 31, 32, 33, 1024] {
      let values = decimals(count, count: length)
      #expect(roundTrip(Array(0..<length), values), "\(length) of them")
      #expect(roundTrip(Array(0..<length), values.map { -$0 / 1e3 }), "\(length) of them")
    }
  }

  @Test func `short decimals cost their digits`() {
    for (count, bits) in [(3, 11.5), (5, 18.5), (7, 25.0)] {
      let chunk = ColumnChunk(steps: 0..<1024, values: decimals(count))
      #expect(chunk.encoded().first == ValueCoding.decimal.rawValue)
      #expect(Double(chunk.encoded().count) < 1024 * bits / 8 + 32, "\(count) decimals")
    }
  }

  @Test func `a few values among short decimals are none`() {
    let odd: [Double] = [
      .nan, Double(nan: 0x1234, signaling: false), .infinity, -.infinity, -0.0, .pi, 1e300,
      .leastNonzeroMagnitude,
      1.234567890123, 12_345_678_901.5,
    ]
    for value in odd {
      for place in [0, 5, 32, 1023] {
        var values = decimals(4)
        values[place] = value
        let chunk = ColumnChunk(steps: 0..<1024, values: values)
        #expect(chunk.encoded().first == ValueCoding.decimal.rawValue, "\(value) at \(place)")
        #expect(ColumnChunk(encoded: chunk.encoded()) == chunk, "\(value) at \(place)")
      }
    }
    var values = decimals(4)
    for place in stride(from: 0, to: 1024, by: 16) { values[place] = .pi }
    let chunk = ColumnChunk(steps: 0..<1024, values: values)
    #expect(chunk.encoded().first == ValueCoding.double.rawValue)
    #expect(ColumnChunk(encoded: chunk.encoded()) == chunk)
  }

  @Test func `the longest decimals say how many there are, wherever they stand`() {
    var values = decimals(2)
    for place in 500..<700 { values[place] += 0.000_1 }
    values = values.map { ($0 * 1e4).rounded() / 1e4 }
    let chunk = ColumnChunk(steps: 0..<1024, values: values)
    #expect(chunk.encoded().first == ValueCoding.decimal.rawValue)
    #expect(ColumnChunk(encoded: chunk.encoded()) == chunk)
  }

  @Test func `shares of a power of two cost their few digits`() {
    var random = RandomBits(seed: 4)
    let values = (0..<1024).map { _ in Double(Int.random(in: 900..<1100, using: &random)) / 8192 }
    #expect(ColumnChunk(steps: 0..<1024, values: values).encoded().count < 1024 * 11 / 8)
  }

  @Test(arguments: [false, true]) func `cut or changed bytes never trap`(isDecimal: Bool) {
    var random = RandomBits(seed: 5)
    var values = (0..<200).map { _ in Double.random(in: 0...1, using: &random) }
    if isDecimal { values = decimals(3, count: 199) + [.nan] }
    let bytes = ColumnChunk(steps: 0..<200, values: values).encoded()
    for length in 0..<bytes.count {
      #expect(ColumnChunk(encoded: bytes.prefix(length)) == nil, "cut at \(length)")
    }
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let chunk = ColumnChunk(encoded: damaged)
      #expect(chunk.map { $0.steps.count <= ColumnChunk.capacity } ?? true)
    }
  }
}
