/// Summaries of blocks of 8, 64, 512 … values of a growing sequence, so that any stretch of it is
/// summed up in a time that hardly depends on its length.
///
/// - Cost: appending is constant on average; a query touches at most 16 entries a level.
package struct Pyramid: Sendable {
  package static let fanOut = 8

  private var levels: [[ColumnSummary]] = []

  package init() {}

  /// Takes note that `values` has grown by one element at its end.
  package mutating func extend(values: [Double]) {
    var length = values.count
    var level = 0
    while length % Self.fanOut == 0 {
      length /= Self.fanOut
      if levels.count == level { levels.append([]) }
      levels[level].append(summary(ofBlock: length - 1, level: level, values: values))
      level += 1
    }
  }

  /// Takes note that `values` has grown at its end from `count` elements on.
  mutating func extend(values: [Double], from count: Int) {
    var (before, length) = (count / Self.fanOut, values.count / Self.fanOut)
    var level = 0
    while length > 0 {
      if levels.count == level { levels.append([]) }
      for block in before..<length {
        levels[level].append(summary(ofBlock: block, level: level, values: values))
      }
      (before, length) = (before / Self.fanOut, length / Self.fanOut)
      level += 1
    }
  }

  private func summary(ofBlock block: Int, level: Int, values: [Double]) -> ColumnSummary {
    var total = ColumnSummary()
    for child in block * Self.fanOut..<(block + 1) * Self.fanOut {
      if level == 0 {
        total.add(values[child])
      } else {
        total.add(levels[level - 1][child])
      }
    }
    return total
  }

  /// Forgets all but the first `count` values.
  package mutating func truncate(toCount count: Int) {
    var length = count
    for level in levels.indices {
      length /= Self.fanOut
      levels[level].removeLast(levels[level].count - Swift.min(length, levels[level].count))
    }
  }

  /// The summary of `values[range]`.
  package func summary(of range: Range<Int>, values: [Double]) -> ColumnSummary {
    var total = ColumnSummary()
    var index = range.lowerBound
    while index < range.upperBound {
      let (level, width) = widestBlock(at: index, upTo: range.upperBound)
      if level < 0 {
        total.add(values[index])
      } else {
        total.add(levels[level][index / width])
      }
      index += width
    }
    return total
  }

  /// The largest block that starts at `index` and ends by `end`; level -1 is a single value.
  private func widestBlock(at index: Int, upTo end: Int) -> (level: Int, width: Int) {
    var level = -1
    var width = 1
    while level + 1 < levels.count {
      let next = width * Self.fanOut
      guard index % next == 0, index + next <= end, index / next < levels[level + 1].count else {
        break
      }
      level += 1
      width = next
    }
    return (level, width)
  }
}
