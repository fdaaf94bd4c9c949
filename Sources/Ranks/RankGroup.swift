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

  /// Seconds spent in exchanges so far.
  var secondsWaited: Double { get }
  /// Bytes sent so far.
  var bytesSent: Int { get }
  /// The launcher has asked for the end: a partner that is silent then is taken for gone.
  func interrupt()
  /// Has `tell` know, on rank 0 and from within an exchange, which ranks keep it waiting for long.
  func onSilence(_ tell: @escaping @Sendable (RankSilence) -> Void)
  /// Waits for all ranks, then leaves them: nothing is called after it.
  func finish()
  /// Ends all ranks at once with this exit code, this one too.
  func abandon(code: Int32)
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

  package var secondsWaited: Double { 0 }
  package var bytesSent: Int { 0 }
  package func interrupt() {}
  package func onSilence(_ tell: @escaping @Sendable (RankSilence) -> Void) {}
  package func finish() {}
  package func abandon(code: Int32) {}
}

extension RankGroup {
  package var isFirst: Bool { rank == 0 }
}
