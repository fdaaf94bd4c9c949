import Kernels
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct WindowSourceTests {
  /// Bytes that tell where they stand, up to 65,536 of them: two windows of three bytes are equal
  /// only if they start at the same place modulo 251.
  private func corpus(_ count: Int) -> Corpus {
    Corpus(bytes: (0..<count).map { UInt8($0 % 251) }, name: "ramp", description: "ramp")
  }

  private func source(
    _ count: Int, evalFraction: Double = 0.05, context: Int = 8,
    order: WindowOrder = .shuffled, seed: UInt64 = 1
  ) throws -> WindowSource {
    try WindowSource(
      corpus: corpus(count), evalFraction: evalFraction, context: context, order: order, seed: seed)
  }

  private func rows(_ source: WindowSource, step: Int) throws -> [[Token]] {
    let buffer = UnsafeMutableBufferPointer<Token>.allocate(
      capacity: 4 * source.windowCount)
    defer { buffer.deallocate() }
    try source.windows(from: 4 * step, into: buffer)
    return (0..<4).map { row in
      Array(buffer[(row * source.windowCount)..<((row + 1) * source.windowCount)])
    }
  }

  @Test func `the last twentieth is held out`() throws {
    #expect(try source(1000).trainingCount == 950)
    #expect(try source(999).trainingCount == 949)
    #expect(try source(1000, evalFraction: 0).trainingCount == 1000)
  }

  @Test(arguments: [(0, 0), (1, 3), (7, 2), (1000, 1)])
  func `file order starts row b of step s at ((s B + b) T) mod (n - T)`(
    step: Int, row: Int
  ) throws {
    let source = try source(1000, order: .file)
    let start = (step * 4 + row) * 8 % (950 - 8)
    #expect(source.start(window: 4 * step + row) == start)
    #expect(try rows(source, step: step)[row] == (start..<(start + 9)).map { Token($0 % 251) })
  }

  @Test func `file order lays windows end to end and goes round`() throws {
    let source = try source(1000, context: 5, order: .file)
    let starts = (0...190).map { source.start(window: $0) }
    #expect(starts == (0..<189).map { $0 * 5 } + [0, 5])
  }

  @Test func `a batch depends on the step and the seed alone`() throws {
    let first = try source(60_000)
    let second = try source(60_000)
    let steps = try [5, 0, 5].map { try rows(first, step: $0) }
    #expect(steps[0] == steps[2])
    #expect(steps[0] != steps[1])
    #expect(try rows(second, step: 5) == steps[0])
    #expect(try rows(source(60_000, seed: 2), step: 5) != steps[0])
  }

  @Test func `the draw of a seed is the same for ever`() throws {
    let source = try source(60_000)
    #expect((0..<4).map { source.start(window: $0) } == [34536, 29986, 25170, 29752])
    #expect(source.start(window: 4_000_003) == 9223)
  }

  @Test func `shuffled windows start everywhere alike and stay in the training part`() throws {
    let source = try source(40, evalFraction: 0.25, context: 8)
    let starts = source.trainingCount - 8
    var counts = [Int](repeating: 0, count: starts)
    for step in 0..<5500 {
      for row in 0..<4 { counts[source.start(window: 4 * step + row)] += 1 }
    }
    // 22 starts, 1,000 expected in each: chi-square with 21 degrees of freedom, 0.999 quantile
    // 46.8.
    #expect(starts == 22)
    let chiSquare = counts.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    #expect(chiSquare < 46.8)
  }

  @Test(arguments: [1, 8, 64, 257], [0, 0.05, 0.5, 0.9])
  func `too short is said with the least length that would do`(
    context: Int, evalFraction: Double
  ) throws {
    let error = #expect(throws: DataError.self) {
      try source(1, evalFraction: evalFraction, context: context)
    }
    guard case .tooShort(let path, let bytes, let needed, context, "bytes") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == "ramp")
    #expect(bytes == 1)
    #expect(throws: DataError.self) {
      try source(needed - 1, evalFraction: evalFraction, context: context)
    }
    for order in WindowOrder.allCases {
      let enough = try source(needed, evalFraction: evalFraction, context: context, order: order)
      #expect(try rows(enough, step: 3).count == 4)
      #expect(try enough.heldOut().isEmpty == (evalFraction == 0))
    }
  }

  @Test func `held-out windows are spread over the whole held-out part`() throws {
    let source = try source(2000, context: 8)
    let held = try source.heldOut(windows: 5)
    // 100 bytes held out: the first window starts it, the last ends it.
    let starts = [0, 22, 45, 68, 91].map { 1900 + $0 }
    #expect(held == starts.flatMap { ($0..<($0 + 9)).map { Token($0 % 251) } })
  }

  @Test func `a short held-out part gives as many windows as share no target`() throws {
    let held = try source(2000, context: 8).heldOut(windows: 32)
    #expect(held.count == 12 * 9)
    let one = try source(200, context: 8).heldOut(windows: 32)
    #expect(one == (190..<199).map { Token($0 % 251) })
  }

  @Test func `the probe is fixed by the seed, whatever the order`() throws {
    let probe = try source(60_000).probe(rows: 3)
    #expect(probe.count == 27)
    #expect(try source(60_000, order: .file).probe(rows: 3) == probe)
    #expect(try source(60_000, seed: 2).probe(rows: 3) != probe)
    #expect(try rows(source(60_000), step: 0)[0] != Array(probe[..<9]))
  }

  @Test func `consecutive windows predict each byte once, a partial one left out`() throws {
    let windows = try ConsecutiveWindows(corpus: corpus(42), context: 8)
    #expect(windows.count == 5)
    #expect(windows.targets == 40)
    #expect(
      try windows.tokens(of: 1..<3) == (Array(8...16) + Array(16...24)).map { Token($0) })
    #expect(try ConsecutiveWindows(corpus: corpus(41), context: 8).count == 5)
    #expect(try ConsecutiveWindows(corpus: corpus(40), context: 8).count == 4)
    #expect(throws: DataError.tooShort(path: "ramp", bytes: 8, needed: 9, context: 8)) {
      try ConsecutiveWindows(corpus: corpus(8), context: 8)
    }
  }
}
