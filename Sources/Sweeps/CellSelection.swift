/// Which cells of a grid a process runs, and in which order.
package enum CellSelection: Sendable, Equatable {
  case all
  /// Every so-manieth cell, counted from 1: shards are as long as each other.
  case shard(Int, of: Int)
  case cell(Int)

  /// Why there is no such part of a grid. The description is one line.
  package enum Flaw: Error, Equatable, CustomStringConvertible {
    case wrongShard(words: String)
    case noCell(Int, count: Int)

    package var description: String {
      switch self {
      case .wrongShard(let words): "--shard \(words): give K/N with K from 1 to N, such as 3/16"
      case .noCell(let number, let count):
        "--cell \(number): the grid has cells 1 to \(count)"
      }
    }
  }

  /// `3/16`.
  package init(shard words: String) throws(Flaw) {
    let parts = words.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let shard = Int(parts[0]), let count = Int(parts[1]), shard >= 1,
      shard <= count
    else { throw .wrongShard(words: words) }
    self = .shard(shard, of: count)
  }

  /// The places of its cells among `costs`, the longest first, so that cores end together.
  /// - Throws: ``Flaw/noCell(_:count:)``.
  package func order(of costs: [CellCost]) throws(Flaw) -> [Int] {
    let longest = costs.indices.sorted {
      (costs[$1].flops, $0) < (costs[$0].flops, $1)
    }
    switch self {
    case .all: return longest
    case .shard(let shard, let count):
      // Dealt out by length, so that no shard gets all the long ones.
      return longest.enumerated().filter { $0.offset % count == shard - 1 }.map(\.element)
    case .cell(let number):
      guard costs.indices.contains(number - 1) else {
        throw .noCell(number, count: costs.count)
      }
      return [number - 1]
    }
  }
}
