/// The processes that take a run's steps together, each over slices of its own.
///
/// There are R of them, a power of two, at the corners of a hypercube: what they tell each other
/// goes along its edges, pair by pair, so that numbers are added over the one binary tree over which
/// a single process adds them. All of them make the same calls in the same order.
package protocol RankGroup: Sendable {
  /// From 0; rank 0 records, draws and takes commands.
  var rank: Int { get }
  /// R.
  var count: Int { get }
  /// Why the others cannot be reached any more, in a line; nil while they can. From then on no call
  /// changes anything: whoever has used what came of one asks this before it tells of it.
  var flaw: String? { get }

  /// Sends bytes to `partner` and takes some from it; the partner calls it too, with the same
  /// lengths the other way round.
  func exchange(
    with partner: Int, sending: UnsafeRawBufferPointer,
    receiving: UnsafeMutableRawBufferPointer)
}

/// A process that takes its steps alone.
package struct SoleRank: RankGroup {
  package init() {}

  package var rank: Int { 0 }
  package var count: Int { 1 }
  package var flaw: String? { nil }

  package func exchange(
    with partner: Int, sending: UnsafeRawBufferPointer,
    receiving: UnsafeMutableRawBufferPointer
  ) {
    preconditionFailure("an exchange with rank \(partner) of one")
  }
}

extension RankGroup {
  package var isFirst: Bool { rank == 0 }
}
