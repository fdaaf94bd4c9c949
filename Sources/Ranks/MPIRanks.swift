#if MPI
  internal import CMPI
  internal import Dispatch
  internal import Foundation
  internal import Synchronization

  /// The processes that `mpirun` or `srun` started together.
  ///
  /// Calls come from one thread at a time. A wait gives the core away, so that more ranks than cores
  /// get on, and ends where the launcher has asked for the end and the partner does not answer any
  /// more.
  package final class MPIRanks: RankGroup {
    /// The longest message in bytes; what is longer goes in several.
    private static let longest = 1 << 30

    package let rank: Int
    package let count: Int
    private let reason = Mutex<String?>(nil)
    private let interruption = Atomic<UInt64>(0)
    private let waited = Atomic<UInt64>(0)
    private let longestWait = Atomic<UInt64>(0)
    private let sent = Atomic<Int>(0)

    /// Begins; to be called once in a process.
    /// - Throws: ``RankStartError``.
    package init() throws(RankStartError) {
      var (rank, count): (Int32, Int32) = (0, 0)
      let code = seismo_mpi_begin(&rank, &count)
      guard code == 0 else { throw .notBegun(code: code) }
      self.rank = Int(rank)
      self.count = Int(count)
    }

    package var flaw: String? { reason.withLock { $0 } }

    package var secondsWaited: Double { Double(waited.load(ordering: .relaxed)) / 1e9 }
    package var bytesSent: Int { sent.load(ordering: .relaxed) }

    /// How long a partner may still be silent once the launcher has asked for the end. It may kill a
    /// second after that, and rank 0 has a session to close; but where steps are long partners are
    /// silent for long. The others have nothing to lose and wait for rank 0.
    private var patience: UInt64 {
      rank == 0
        ? max(500_000_000, 2 * longestWait.load(ordering: .relaxed)) : 60_000_000_000
    }

    package func interrupt() {
      interruption.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
    }

    package func exchange(
      with partner: Int, sending: UnsafeRawBufferPointer,
      receiving: UnsafeMutableRawBufferPointer
    ) {
      let start = DispatchTime.now().uptimeNanoseconds
      var offset = 0
      while offset < max(sending.count, receiving.count), flaw == nil {
        exchangePart(
          with: partner,
          UnsafeRawBufferPointer(rebasing: sending.dropFirst(offset).prefix(Self.longest)),
          UnsafeMutableRawBufferPointer(
            rebasing: receiving.dropFirst(offset).prefix(Self.longest)))
        offset += Self.longest
      }
      sent.add(sending.count, ordering: .relaxed)
      let wait = DispatchTime.now().uptimeNanoseconds - start
      waited.add(wait, ordering: .relaxed)
      if flaw == nil { longestWait.max(wait, ordering: .relaxed) }
    }

    package func finish() {
      guard flaw == nil else { return }
      seismo_mpi_finish()
    }

    package func abandon(code: Int32) { seismo_mpi_abort(code) }

    private func exchangePart(
      with partner: Int, _ sending: UnsafeRawBufferPointer,
      _ receiving: UnsafeMutableRawBufferPointer
    ) {
      let size = Int(seismo_mpi_requests_size())
      withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { room in
        guard let requests = room.baseAddress else { return }
        let code = seismo_mpi_exchange(
          Int32(partner), sending.baseAddress, Int32(sending.count), receiving.baseAddress,
          Int32(receiving.count), requests)
        guard code == 0 else { return lose(partner, "the exchange failed with code \(code)") }
        wait(for: partner, requests)
      }
    }

    private func wait(for partner: Int, _ requests: UnsafeMutableRawPointer) {
      let start = DispatchTime.now().uptimeNanoseconds
      var rounds = 0
      while true {
        var isDone: Int32 = 0
        let code = seismo_mpi_test(requests, &isDone)
        guard code == 0 else { return lose(partner, "the exchange failed with code \(code)") }
        if isDone != 0 { return }
        rounds += 1
        guard rounds % 256 == 0 else { continue }
        let now = DispatchTime.now().uptimeNanoseconds
        let asked = interruption.load(ordering: .relaxed)
        if asked > 0, now > max(asked, start) + patience {
          return lose(partner, "it is gone, or the launcher ends the run")
        }
        if now - start > 20_000_000 { usleep(200) } else { sched_yield() }
      }
    }

    private func lose(_ partner: Int, _ why: String) {
      reason.withLock { $0 = $0 ?? "rank \(partner) does not answer any more: \(why)" }
    }
  }
#endif
