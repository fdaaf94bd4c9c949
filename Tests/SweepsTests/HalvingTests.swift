import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct HalvingTests {
  private func halving(_ given: [String: String], divisor: Int = 3) throws -> (Halving, Int) {
    let options = given.merging(["preset": "tiny"]) { own, _ in own }
    let costs = try Grid([GridTable(options.mapValues { [$0] })]).costs
    return (Halving(costs: costs, places: Array(costs.indices), divisor: divisor), costs.count)
  }

  @Test func `the best third goes on at a ninth, and of those the best third at a third`() throws {
    var (halving, count) = try halving(["seed": "1..9", "steps": "90"])
    #expect((0..<count).allSatisfy { halving.pause(of: $0) == 10 })
    for place in 0..<8 {
      let decision = halving.reached(place, loss: Double(place == 4 ? 0 : 9 - place))
      #expect(decision == Halving.Decision())
    }
    let first = halving.reached(8, loss: .nan)
    #expect(first.goOn == [4, 7, 6])
    #expect(first.leave.map(\.place) == [5, 3, 2, 1, 0, 8] && first.leave[0].rank == 4)
    #expect(
      first.leave[5].reason
        == "left out by halving after 10 steps: rank 9 of 9 by the held-out loss")
    #expect(first.goOn.allSatisfy { halving.pause(of: $0) == 30 })
    _ = halving.reached(4, loss: 3)
    _ = halving.reached(6, loss: 2)
    let second = halving.reached(7, loss: 1)
    #expect(second.goOn == [7] && second.leave.map(\.place) == [6, 4])
    #expect(halving.pause(of: 7) == nil)
    #expect(halving.ended(7) == Halving.Decision())
  }

  @Test func `what ends on its way counts among the others and is waited for no more`() throws {
    var (halving, _) = try halving(["seed": "1..4", "steps": "90"])
    _ = halving.ended(0)
    _ = halving.ended(1)
    _ = halving.reached(2, loss: 2)
    let decision = halving.reached(3, loss: 1)
    #expect(decision.goOn == [3, 2] && decision.leave.isEmpty)
    var (lost, _) = try self.halving(["seed": "1,2", "steps": "90"])
    _ = lost.ended(0)
    #expect(lost.ended(1) == Halving.Decision())
    #expect(lost.ended(1) == Halving.Decision())
  }

  @Test func `cells of another size or length do not wait for each other`() throws {
    var (halving, count) = try halving(["layers": "1,2", "steps": "9,90"], divisor: 2)
    #expect(count == 4 && Set((0..<4).map { halving.pause(of: $0) }) == [2, 22])
    let decision = halving.reached(0, loss: 1)
    #expect(decision.goOn == [0] && decision.leave.isEmpty)
    let (short, _) = try self.halving(["steps": "2"])
    #expect(short.pause(of: 0) == nil)
  }
}
