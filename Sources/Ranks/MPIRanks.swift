#if MPI
  internal import CMPI
  internal import Dispatch
  internal import Foundation
  internal import Synchronization

  /// The processes that `mpirun` or `srun` started together.
  ///
  /// Calls come from one thread at a time. A wait gives the core away, so that more ranks than cores
  /// get on, and ends where the launcher has asked for the end and the partner does not answer any
  /// more. Where it is long rank 0 asks who is there, and whoever waits too says so.
  package final class MPIRanks: RankGroup {
    /// The longest message in bytes; what is longer goes in several.
    private static let longest = 1 << 30

    /// What ranks say to each other beside their exchanges, which are 0.
    private enum Word {
      static let question: Int32 = 1
      static let answer: Int32 = 2
    }

    package let rank: Int
    package let count: Int
    private let hosts: [String]
    private let listener = Mutex<(@Sendable (RankSilence) -> Void)?>(nil)
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
      hosts = Self.hosts(Int(count))
    }

    private static func hosts(_ count: Int) -> [String] {
      let size = Int(seismo_mpi_host_size())
      var names = [CChar](repeating: 0, count: count * size)
      guard seismo_mpi_hosts(&names) == 0 else { return [] }
      return (0..<count).map { rank in
        let bytes = names[rank * size..<(rank + 1) * size].prefix { $0 != 0 }
        return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
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

    package func onSilence(_ tell: @escaping @Sendable (RankSilence) -> Void) {
      listener.withLock { $0 = tell }
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
      waited.add(DispatchTime.now().uptimeNanoseconds - start, ordering: .relaxed)
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
      var roll = RankRoll(longest: longestWait.load(ordering: .relaxed))
      while true {
        var isDone: Int32 = 0
        let code = seismo_mpi_test(requests, &isDone)
        guard code == 0 else { return lose(partner, "the exchange failed with code \(code)") }
        if isDone != 0 { return end(roll, since: start) }
        rounds += 1
        guard rounds % 256 == 0 else { continue }
        let now = DispatchTime.now().uptimeNanoseconds
        let asked = interruption.load(ordering: .relaxed)
        if asked > 0, now > max(asked, start) + patience {
          return lose(partner, "it is gone, or the launcher ends the run")
        }
        call(&roll, since: start, now)
        if now - start > 20_000_000 { usleep(200) } else { sched_yield() }
      }
    }

    private func end(_ roll: RankRoll, since start: UInt64) {
      let waited = DispatchTime.now().uptimeNanoseconds - start
      longestWait.store(roll.longest(after: waited), ordering: .relaxed)
      tell(roll.silent, since: start, isOver: true)
    }

    /// Rank 0 asks and listens, the others answer.
    private func call(_ roll: inout RankRoll, since start: UInt64, _ now: UInt64) {
      guard rank == 0 else {
        if seismo_mpi_hear(Word.question) >= 0 { seismo_mpi_say(0, Word.answer) }
        return
      }
      while case let other = seismo_mpi_hear(Word.answer), other >= 0 { roll.hear(Int(other)) }
      switch roll.duty(after: now - start, of: count) {
      case .nothing: break
      case .ask: for other in 1..<count { seismo_mpi_say(Int32(other), Word.question) }
      case .tell(let silent): tell(silent, since: start, isOver: false)
      }
    }

    private func tell(_ silent: [Int], since start: UInt64, isOver: Bool) {
      guard !silent.isEmpty, let listener = listener.withLock({ $0 }) else { return }
      let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
      let names = silent.map { rank in
        rank < hosts.count ? "rank \(rank) on \(hosts[rank])" : "rank \(rank)"
      }
      listener(RankSilence(names: names, seconds: seconds, isOver: isOver))
    }

    private func lose(_ partner: Int, _ why: String) {
      reason.withLock { $0 = $0 ?? "rank \(partner) does not answer any more: \(why)" }
    }
  }
#endif
