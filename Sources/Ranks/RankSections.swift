package import Kernels

/// A buffer's numbers in R sections of neighbours, one a rank.
///
/// The first exchange of a sum is with the nearest rank, since neighbouring slices are added first,
/// and parts the numbers in two halves. So the lowest bit of a rank is the highest of its section's
/// number.
package struct RankSections: Sendable {
  /// Where each section begins and, R + 1 of them, the last one ends.
  package let bounds: [Int]
  /// The section that this rank owns.
  package let own: Int

  package init(bounds: [Int], of ranks: some RankGroup) {
    precondition(bounds.count == ranks.count + 1, "\(bounds.count - 1) sections")
    self.bounds = bounds
    own = Self.section(of: ranks.rank, count: ranks.count)
  }

  package var ownRange: Range<Int> { range(own..<own + 1) }

  func range(_ sections: Range<Int>) -> Range<Int> {
    bounds[sections.lowerBound]..<bounds[sections.upperBound]
  }

  /// As many numbers as are received at a time by a sum, at most.
  package var largestHalf: Int {
    guard bounds.count > 2 else { return 0 }
    let middle = (bounds.count - 1) / 2
    return max(bounds[middle] - bounds[0], bounds[bounds.count - 1] - bounds[middle])
  }

  /// The bits of `rank` in the other order; which is also the rank of a section.
  static func section(of rank: Int, count: Int) -> Int {
    var (rest, section) = (rank, 0)
    var level = 1
    while level < count {
      section = section << 1 | rest & 1
      rest >>= 1
      level <<= 1
    }
    return section
  }
}

extension RankGroup {
  /// Adds the ranks' numbers up, each rank those of its own section; elsewhere `buffer` holds parts
  /// of the sum afterwards.
  ///
  /// - Parameters: `scratch` has room for the larger half of the sections
  /// - Cost: P·(R − 1)/R numbers sent by each rank, as a mean
  package func sum(_ buffer: FloatBuffer, _ sections: RankSections, scratch: FloatBuffer) {
    var own = 0..<count
    var level = 1
    while level < count {
      let middle = own.lowerBound + own.count / 2
      let halves = (own.lowerBound..<middle, middle..<own.upperBound)
      let isLower = rank & level == 0
      let kept = sections.range(isLower ? halves.0 : halves.1)
      let given = sections.range(isLower ? halves.1 : halves.0)
      exchange(
        with: rank ^ level,
        sending: UnsafeRawBufferPointer(
          UnsafeBufferPointer(start: buffer.base + given.lowerBound, count: given.count)),
        receiving: UnsafeMutableRawBufferPointer(
          UnsafeMutableBufferPointer(start: scratch.base, count: kept.count)))
      add(scratch.base, to: buffer, from: kept.lowerBound, count: kept.count)
      own = isLower ? halves.0 : halves.1
      level <<= 1
    }
  }

  /// Has rank 0 know all sections of a buffer whose elements lie as `sections` says.
  package func collect<Element>(_ buffer: Buffer<Element>, _ sections: RankSections) {
    let own = sections.own
    var level = 1
    while level < count, own & (level - 1) == 0 {
      let isGiving = own & level != 0
      let first = isGiving ? own : own + level
      let range = sections.range(first..<first + level)
      let part = UnsafeMutableRawBufferPointer(
        UnsafeMutableBufferPointer(start: buffer.base + range.lowerBound, count: range.count))
      let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      exchange(
        with: RankSections.section(of: own ^ level, count: count),
        sending: UnsafeRawBufferPointer(isGiving ? part : nothing),
        receiving: isGiving ? nothing : part)
      level <<= 1
    }
  }

  /// Has every rank know all sections of a buffer whose elements lie as `sections` says.
  package func gather<Element>(_ buffer: Buffer<Element>, _ sections: RankSections) {
    guard count > 1 else { return }
    let stride = MemoryLayout<Element>.stride
    gather(
      UnsafeMutableRawPointer(buffer.base), bounds: sections.bounds.map { $0 * stride },
      place: { RankSections.section(of: $0, count: self.count) })
  }
}
