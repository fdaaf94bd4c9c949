import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct ExpertBalanceTests {
  @Test func `known values`() {
    let balance = ExpertBalance(counts: [1, 2, 3, 2])
    #expect(balance.shares == [0.125, 0.25, 0.375, 0.25])
    #expect(abs(balance.cv - 0.5.squareRoot() / 2) < 1e-15)
    #expect(balance.maxViolation == 0.5)
    #expect(balance.dead.isEmpty && balance.overloaded.isEmpty)
  }

  @Test func `even load is perfect and collapse is experts over active less 1`() {
    let even = ExpertBalance(counts: [5, 5, 5, 5])
    #expect(even.cv == 0 && even.maxViolation == 0)
    let collapsed = ExpertBalance(counts: [512, 512, 0, 0, 0, 0, 0, 0])
    #expect(collapsed.maxViolation == 3)
    #expect(collapsed.dead == [2, 3, 4, 5, 6, 7])
    #expect(collapsed.overloaded == [0, 1])
  }

  @Test func `no assignment at all is no trouble`() {
    let empty = ExpertBalance(counts: [0, 0])
    #expect(empty.shares == [0, 0])
    #expect(empty.cv == 0 && empty.maxViolation == 0 && empty.dead.isEmpty)
    #expect(ExpertBalance(counts: []).shares.isEmpty)
  }

  @Test func `shares sum to 1 and do not feel the unit`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let experts = Int.random(in: 1...64, using: &generator)
      let counts = (0..<experts).map { _ in Int.random(in: 0...100, using: &generator) } + [1]
      let balance = ExpertBalance(counts: counts)
      #expect(abs(balance.shares.reduce(0, +) - 1) < 1e-12, "seed \(seed)")
      let scaled = ExpertBalance(loads: balance.shares)
      #expect(abs(scaled.cv - balance.cv) < 1e-12, "seed \(seed)")
      #expect(balance.maxViolation >= 0 && balance.maxViolation <= Double(experts), "seed \(seed)")
      #expect(Set(balance.dead).isDisjoint(with: balance.overloaded), "seed \(seed)")
    }
  }
}
