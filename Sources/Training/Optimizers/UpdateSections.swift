import Kernels
import Models
import Ranks

/// Which rank updates which chunks: neighbours, and about as many numbers each.
///
/// A tensor that Muon updates as a whole is of one section, so that its rank has all of its gradient
/// and its velocity.
struct UpdateSections: Sendable {
  /// Of the parameters, their gradients and moments.
  let numbers: RankSections
  /// Of the chunks and their sums.
  let chunks: RankSections
  /// Of `muonParts` and their sums.
  let parts: RankSections
  /// In the order of their sections, and as they were in each.
  let muonParts: [MuonPart]

  init(
    _ chunks: [Chunk], rules: [UpdateRule?], parts: [MuonPart], numbers: Int,
    ranks: some RankGroup
  ) {
    let cuts = Self.cuts(chunks, rules: rules, count: ranks.count)
    let firstTensors = cuts.map { $0 == chunks.count ? Int.max : chunks[$0].tensor }
    let bySection = (0..<ranks.count).map { section in
      parts.filter { (firstTensors[section]..<firstTensors[section + 1]).contains($0.tensor) }
    }
    muonParts = Array(bySection.joined())
    self.chunks = RankSections(bounds: cuts, of: ranks)
    self.numbers = RankSections(
      bounds: cuts.map { $0 == chunks.count ? numbers : $0 == 0 ? 0 : chunks[$0].start },
      of: ranks)
    self.parts = RankSections(
      bounds: bySection.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }, of: ranks)
  }

  /// The first chunk of each section, and behind the last one.
  private static func cuts(_ chunks: [Chunk], rules: [UpdateRule?], count: Int) -> [Int] {
    let total = chunks.reduce(0) { $0 + $1.count }
    var cuts = [0]
    var done = 0
    for (index, chunk) in chunks.enumerated() {
      let isInside = index > 0 && chunks[index - 1].tensor == chunk.tensor
      while cuts.count < count, done >= total * cuts.count / count,
        !isInside || rules[chunk.tensor] != .muon
      {
        cuts.append(index)
      }
      done += chunk.count
    }
    return cuts + Array(repeating: chunks.count, count: count + 1 - cuts.count)
  }
}
