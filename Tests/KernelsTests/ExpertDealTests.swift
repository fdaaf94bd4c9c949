import Testing

@testable import Kernels

@Suite(.timeLimit(.minutes(15)))
struct ExpertDealTests {
  private static let experts = 4096

  /// The expert of each token that follows another one, of two-token texts.
  private func experts(_ pairs: [(Token, Token)]) -> [Int32] {
    let tokens: [Token] = pairs.flatMap { [$0.0, $0.1, 0] }
    let rows = tokens.withUnsafeBufferPointer { TokenRows($0, rows: pairs.count, positions: 2) }
    let arena = Arena()
    defer { withExtendedLifetime(arena) {} }
    let routing = ExpertRouting(
      arena: arena, rows: 2 * pairs.count, experts: Self.experts, active: 1,
      form: RouterForm(scores: .softmax, normalisesGates: false))
    let sums = Buffer<Double>(count: Self.experts)
    _ = routing.deal(
      ExpertDeal(unit: .pairs(rows), seed: 7), rows: 2 * pairs.count,
      capacity: ExpertCapacity(factor: 0, window: 2, experts: Self.experts, active: 1),
      probabilitySums: sums.base, histogram: GateHistogram())
    return (0..<pairs.count).map { routing.chosen[2 * $0 + 1] }
  }

  /// Of 256 pairs dealt to 4,096 experts some eight meet by chance.
  @Test(arguments: [Token(7), 256, 257, 512, 50_256])
  func `pairs of ids that differ before a token are dealt apart`(token: Token) {
    let befores = (0..<256).map { Token($0) } + (0..<256).map { Token(50_000 - $0 * 97) }
    let dealt = experts(befores.map { ($0, token) })
    #expect(Set(dealt[..<256]).count > 230 && Set(dealt[256...]).count > 230)
  }

  @Test func `equal pairs go to one expert, wherever they stand`() {
    let dealt = experts([(300, 5), (1, 2), (300, 5), (5, 300)])
    #expect(dealt[0] == dealt[2] && dealt[0] != dealt[3])
  }
}
