import Kernels
import Ranks
import TestSupport
import Testing

/// What ranks tell each other, in threads of one process.
@Suite(.timeLimit(.minutes(15)))
struct RankGroupTests {
  private static let counts = [1, 2, 4, 8]

  private func buffer(_ count: Int, seed: Int) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    var state = UInt64(seed + 1)
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      buffer[index] = Float(Int32(truncatingIfNeeded: state >> 32)) / 1e9
    }
    return buffer
  }

  /// Sections of any size, empty ones too.
  private func bounds(_ count: Int, of numbers: Int) -> [Int] {
    [0] + (1..<count).map { $0 * $0 * numbers / (count * count) } + [numbers]
  }

  @Test(arguments: counts, [0, 1, 100, 1001])
  func `a sum over ranks has the bits of the slices' tree`(count: Int, numbers: Int) async {
    let parts = await ThreadRanks.each(of: count) { ranks in
      let own = self.buffer(numbers, seed: ranks.rank)
      let sections = RankSections(bounds: self.bounds(count, of: numbers), of: ranks)
      ranks.sum(own, sections, scratch: FloatBuffer(count: sections.largestHalf))
      ranks.gather(own, sections)
      return (0..<numbers).map { own[$0].bitPattern }
    }
    let whole = FloatBuffer(count: numbers)
    var squares = [Double](repeating: 0, count: count)
    _ = sumSlices(
      (0..<count).map { buffer(numbers, seed: $0) }, into: whole, from: 0, count: numbers,
      squares: &squares)
    for part in parts { #expect(part == (0..<numbers).map { whole[$0].bitPattern }) }
  }

  @Test(arguments: counts)
  func `rank 0 collects what each has of a buffer, and forgets it again`(count: Int) async {
    let numbers = 5000
    let bounds = bounds(count, of: numbers)
    let collected = await ThreadRanks.each(of: count) { ranks in
      let sections = RankSections(bounds: bounds, of: ranks)
      let own = FloatBuffer(untouched: numbers)
      for index in sections.ownRange { own[index] = Float(index + 1) }
      ranks.collect(own, sections)
      let all = (0..<numbers).map { own[$0] }
      own.forget(0..<sections.ownRange.lowerBound)
      own.forget(sections.ownRange.upperBound..<numbers)
      let kept = sections.ownRange.allSatisfy { own[$0] == Float($0 + 1) }
      let isGone = sections.ownRange.upperBound > 2000 || own[3500] == 0
      return (all, kept, isGone)
    }
    #expect(collected[0].0 == (1...numbers).map(Float.init))
    #expect(collected.allSatisfy { $0.1 && $0.2 })
  }

  @Test(arguments: [2, 4, 8])
  func `a sum that all ranks know costs 2·P·(R − 1)/R numbers a rank`(count: Int) async {
    let numbers = 4096
    let sent = await ThreadRanks.each(of: count) { ranks in
      let own = self.buffer(numbers, seed: ranks.rank)
      let bounds = (0...count).map { $0 * numbers / count }
      let sections = RankSections(bounds: bounds, of: ranks)
      ranks.sum(own, sections, scratch: FloatBuffer(count: sections.largestHalf))
      ranks.gather(own, sections)
      return ranks.bytesSent
    }
    #expect(sent == sent.map { _ in 2 * numbers * 4 * (count - 1) / count })
  }

  @Test(arguments: counts)
  func `rank 0 is heard by all, and all hear each other`(count: Int) async {
    let heard = await ThreadRanks.each(of: count) { ranks in
      let told = ranks.told(ranks.isFirst ? [7, 8, 9] : [1])
      let nothing = ranks.told(ranks.isFirst ? [] : [1, 2])
      var numbers = [Double(ranks.rank), 2]
      ranks.tell(&numbers)
      let said = ranks.said(String(repeating: "x", count: ranks.rank))
      return [told.description, nothing.description, numbers.description, said.description]
    }
    let words = (0..<count).map { String(repeating: "x", count: $0) }
    for rank in heard {
      #expect(rank == ["[7, 8, 9]", "[]", "[0.0, 2.0]", words.description])
    }
  }

  private struct Trouble: Error, CustomStringConvertible {
    let description: String
  }

  @Test(arguments: [1, 2, 4])
  func `what rank 0 comes to is known to all, its failure too`(count: Int) async {
    let results = await ThreadRanks.each(of: count) { ranks in
      let value = try? ranks.led { ranks.isFirst ? "first" : "other" }
      let failure = Result {
        try ranks.led { () throws -> Int in throw Trouble(description: "no") }
      }
      return (value, failure.failureText)
    }
    for (rank, result) in results.enumerated() {
      #expect(result.0 == "first")
      #expect(result.1 == (rank == 0 ? "no" : "rank 0: no"))
    }
  }

  @Test(arguments: [1, 2, 3])
  func `where one rank fails all fail, and say where`(failing: Int) async {
    let results = await ThreadRanks.each(of: 4) { ranks in
      let result = Result {
        try ranks.together {
          if ranks.rank == failing { throw Trouble(description: "no file: look\nthere") }
        }
      }
      let after = try? ranks.together { ranks.rank }
      return (result.failureText, after)
    }
    for (rank, result) in results.enumerated() {
      let text = result.0 ?? ""
      #expect(
        rank == failing
          ? text == "no file: look\nthere"
          : text.hasPrefix("rank \(failing) on ") && text.hasSuffix(": no file: look\nthere"))
      #expect(result.1 == rank)
    }
  }

  @Test func `ranks that are to make other runs are told apart`() async {
    let results = await ThreadRanks.each(of: 4) { ranks in
      Result {
        try ranks.agree(on: [
          RankFact("seismo", "1.0", remedy: "install one"),
          RankFact("data", ranks.rank == 2 ? "ab" : "cd", remedy: "give one file"),
        ])
      }.failureText ?? ""
    }
    for text in results {
      #expect(text.hasPrefix("rank 2 on "))
      #expect(text.hasSuffix(" has another data than rank 0, ab and not cd: give one file"))
    }
  }

  @Test func `a rank that is gone is told, and nobody waits for it`() async {
    let results = await ThreadRanks.each(of: 4) { ranks in
      if ranks.rank == 3 {
        ranks.die()
        return ("", "")
      }
      let text = Result { try ranks.together {} }.failureText ?? ""
      _ = ranks.said("after")
      return (text, ranks.flaw ?? "")
    }
    for result in results.dropLast() {
      #expect(result.0 == "rank 3 is gone" && result.1 == "rank 3 is gone")
    }
  }

  @Test func `what the launchers say is understood`() {
    #expect(StartedRanks.launched([:]) == nil)
    #expect(StartedRanks.launched(["PMI_SIZE": "1", "SLURM_NTASKS": "x"]) == nil)
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"] {
      let launched = StartedRanks.launched([name: "4"])
      #expect(launched?.variable == name && launched?.count == 4)
    }
  }
}

extension Result {
  fileprivate var failureText: String? {
    guard case .failure(let error) = self else { return nil }
    return "\(error)"
  }
}
