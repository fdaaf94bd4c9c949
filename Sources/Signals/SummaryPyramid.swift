/// Summaries of blocks of samples, and of 8, 64, 512 … such blocks, made once.
///
/// - Cost: making it is linear; a query touches at most 16 summaries a level.
struct SummaryPyramid: Sendable {
  private var levels: [[ColumnSummary]]

  init(_ blocks: [ColumnSummary]) {
    levels = [blocks]
    while let below = levels.last, below.count >= Pyramid.fanOut {
      levels.append(
        (0..<below.count / Pyramid.fanOut).map { block in
          (0..<Pyramid.fanOut).reduce(into: ColumnSummary()) {
            $0.add(below[block * Pyramid.fanOut + $1])
          }
        })
    }
  }

  /// Adds what `blocks` come to, the widest blocks that fit.
  func add(_ blocks: Range<Int>, to total: inout ColumnSummary) {
    var index = blocks.lowerBound
    while index < blocks.upperBound {
      var level = 0
      var width = 1
      while level + 1 < levels.count {
        let next = width * Pyramid.fanOut
        guard index % next == 0, index + next <= blocks.upperBound,
          index / next < levels[level + 1].count
        else { break }
        level += 1
        width = next
      }
      total.add(levels[level][index / width])
      index += width
    }
  }
}
