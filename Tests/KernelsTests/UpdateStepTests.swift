import Kernels
import Testing

/// Steps over a piece of the parameters, and what they would change.
@Suite(.timeLimit(.minutes(15)))
struct UpdateStepTests {
  /// A piece behind other numbers and before others, with what an optimizer keeps of it.
  struct Piece: Sendable {
    static let start = 3

    let count: Int
    let parameters: FloatBuffer
    let gradient: FloatBuffer
    let first: FloatBuffer
    let second: FloatBuffer

    init(_ count: Int) {
      self.count = count
      var random = SeededRandom(seed: UInt64(count))
      func numbers() -> FloatBuffer {
        let buffer = FloatBuffer(count: count + 2 * Self.start)
        for index in 0..<buffer.count { buffer[index] = Float(random.next()) }
        return buffer
      }
      (parameters, gradient, first) = (numbers(), numbers(), numbers())
      second = numbers()
      for index in 0..<second.count { second[index] *= second[index] }
    }

    /// Of all parameters, those around the piece too.
    var values: [Double] { (0..<parameters.count).map { Double(parameters[$0]) } }
    var places: Range<Int> { Self.start..<Self.start + count }
  }

  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let step: @Sendable (Piece) -> UpdateSquares
    let change: @Sendable (Piece) -> UpdateSquares
  }

  private static let decay: Float = 0.01

  /// Without an ε, so that an unused lane would divide 0 by 0.
  private static let adam = AdamCoefficients(
    learningRate: 0.1, beta1: 0.9, beta2: 0.95, correction1: 1.5, correction2: 1.25, epsilon: 0,
    decay: decay)
  private static let momentum = MomentumCoefficients(
    gradientScale: 0.5, learningRate: 0.1, momentum: 0.9, decay: decay)
  private static let lion = LionCoefficients(
    gradientScale: 0.5, learningRate: 0.1, decay: decay)

  static let rules = [
    Rule(testDescription: "adam") {
      adamStep(
        parameters: $0.parameters, gradient: $0.gradient, first: $0.first, second: $0.second,
        from: Piece.start, count: $0.count, adam)
    } change: {
      adamChange(
        parameters: $0.parameters, gradient: $0.gradient, first: $0.first, second: $0.second,
        from: Piece.start, count: $0.count, adam)
    },
    Rule(testDescription: "momentum") {
      momentumStep(
        parameters: $0.parameters, gradient: $0.gradient, velocity: $0.first, from: Piece.start,
        count: $0.count, momentum)
    } change: {
      momentumChange(
        parameters: $0.parameters, gradient: $0.gradient, velocity: $0.first, from: Piece.start,
        count: $0.count, momentum)
    },
    Rule(testDescription: "lion") {
      lionStep(
        parameters: $0.parameters, gradient: $0.gradient, momentum: $0.first, from: Piece.start,
        count: $0.count, lion)
    } change: {
      lionChange(
        parameters: $0.parameters, gradient: $0.gradient, momentum: $0.first, from: Piece.start,
        count: $0.count, lion)
    },
  ]

  @Test(arguments: rules, [1, 7, 8, 13, 512, 1037])
  func `it changes what it said, in its piece alone`(rule: Rule, count: Int) {
    let piece = Piece(count)
    let before = piece.values
    let said = rule.change(piece)
    #expect(piece.values == before)
    let done = rule.step(piece)
    let after = piece.values
    func squares(_ value: (Int) -> Double) -> Double {
      piece.places.reduce(0) { $0 + value($1) * value($1) }
    }
    let expected = [
      (said.update, squares { after[$0] - before[$0] }), (said.parameter, squares { before[$0] }),
      // Without the decay.
      (done.update, squares { after[$0] - before[$0] * (1 - Double(Self.decay)) }),
      (done.parameter, squares { after[$0] }),
    ]
    for (found, judge) in expected { #expect(abs(found - judge) < 1e-3 * judge) }
    for index in before.indices where !piece.places.contains(index) {
      #expect(after[index] == before[index])
    }
  }
}
