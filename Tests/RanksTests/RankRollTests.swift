import Testing

@testable import Ranks

/// Who keeps the others waiting is found out by asking, since those who wait for it answer.
@Suite(.timeLimit(.minutes(15)))
struct RankRollTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func `of those that are asked the silent ones are told, once`() {
    var roll = RankRoll(longest: 0)
    #expect(roll.duty(after: 15 * Self.second, of: 4) == .nothing)
    #expect(roll.duty(after: 16 * Self.second, of: 4) == .ask)
    roll.hear(2)
    #expect(roll.duty(after: 19 * Self.second, of: 4) == .nothing)
    #expect(roll.silent.isEmpty)
    #expect(roll.duty(after: 21 * Self.second, of: 4) == .tell([1, 3]))
    #expect(roll.duty(after: 22 * Self.second, of: 4) == .nothing)
    #expect(roll.silent == [1, 3])
  }

  @Test func `where all answer nobody is told`() {
    var roll = RankRoll(longest: 0)
    #expect(roll.duty(after: 16 * Self.second, of: 2) == .ask)
    roll.hear(1)
    #expect(roll.duty(after: 30 * Self.second, of: 2) == .nothing)
    #expect(roll.silent.isEmpty)
  }

  @Test func `where waits are long the patience is longer, and has an end`() {
    #expect(RankRoll(longest: 1).limit == 20 * Self.second)
    #expect(RankRoll(longest: 10 * Self.second).limit == 40 * Self.second)
    #expect(RankRoll(longest: 1000 * Self.second).limit == 300 * Self.second)
  }

  @Test func `a wait whose rank came back is a usual one from then on`() {
    var roll = RankRoll(longest: 0)
    #expect(roll.duty(after: 16 * Self.second, of: 2) == .ask)
    #expect(roll.duty(after: 21 * Self.second, of: 2) == .tell([1]))
    let longest = roll.longest(after: 25 * Self.second)
    #expect(longest == 25 * Self.second)
    var next = RankRoll(longest: longest)
    #expect(next.duty(after: 25 * Self.second, of: 2) == .nothing)
    #expect(next.duty(after: 76 * Self.second, of: 2) == .ask)
    #expect(next.duty(after: 99 * Self.second, of: 2) == .nothing)
    #expect(next.duty(after: 101 * Self.second, of: 2) == .tell([1]))
    #expect(next.longest(after: 2 * Self.second) == longest)
  }

  @Test func `the words name each rank, and that it is there again`() {
    let one = RankSilence(names: ["rank 3 on node7"], seconds: 20.2, isOver: false)
    #expect(
      one.text == "rank 3 on node7 does not answer: the others have waited for 20 s")
    let two = RankSilence(
      names: ["rank 1 on node2", "rank 3 on node7"], seconds: 94, isOver: true)
    #expect(
      RankSilence(names: two.names, seconds: 94, isOver: false).text
        == "rank 1 on node2, rank 3 on node7 do not answer: the others have waited for 94 s")
    #expect(two.text == "rank 1 on node2, rank 3 on node7 are there again after 94 s")
  }
}
