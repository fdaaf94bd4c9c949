import Foundation
package import Ranks

/// Ranks that are threads of one process: what a run over many processes does, without any launcher.
package final class ThreadRanks: RankGroup {
  package let rank: Int
  package let count: Int
  private let exchanges: Exchanges

  private init(rank: Int, of exchanges: Exchanges) {
    self.rank = rank
    count = exchanges.count
    self.exchanges = exchanges
  }

  /// As many ranks that know each other.
  package static func group(of count: Int) -> [ThreadRanks] {
    let exchanges = Exchanges(count: count)
    return (0..<count).map { ThreadRanks(rank: $0, of: exchanges) }
  }

  /// Ends this rank as a process that dies does: what waits for it waits no more.
  package func die() { exchanges.end("rank \(rank) is gone") }

  package var flaw: String? { exchanges.flaw }
  package var bytesSent: Int { exchanges.bytesSent(by: rank) }
  package var secondsWaited: Double { 0 }
  package func interrupt() {}
  package func onSilence(_ tell: @escaping @Sendable (RankSilence) -> Void) {}
  package func finish() {}
  package func abandon(code: Int32) {}

  package func exchange(
    with partner: Int, sending: UnsafeRawBufferPointer,
    receiving: UnsafeMutableRawBufferPointer
  ) {
    exchanges.send(Array(sending), from: rank, to: partner)
    let bytes = exchanges.receive(from: partner, to: rank)
    guard bytes.count == receiving.count else { return exchanges.end("ranks have parted") }
    receiving.copyBytes(from: bytes)
  }

  /// Does the same in a thread for each rank and gives what they come to.
  package static func each<Value: Sendable>(
    of count: Int, _ body: @escaping @Sendable (ThreadRanks) -> Value
  ) async -> [Value] {
    let group = group(of: count)
    return await withTaskGroup(of: (Int, Value).self) { tasks in
      for ranks in group {
        tasks.addTask {
          await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: (ranks.rank, body(ranks))) }.start()
          }
        }
      }
      var values: [Int: Value] = [:]
      for await (rank, value) in tasks { values[rank] = value }
      return (0..<count).compactMap { values[$0] }
    }
  }
}

/// The messages under way between threads.
private final class Exchanges: Sendable {
  private struct Edge: Hashable {
    let from: Int
    let to: Int
  }

  let count: Int
  private let bell = NSCondition()
  // Read and written under the bell's lock alone.
  private nonisolated(unsafe) var messages: [Edge: [[UInt8]]] = [:]
  private nonisolated(unsafe) var sent: [Int: Int] = [:]
  private nonisolated(unsafe) var reason: String?

  init(count: Int) { self.count = count }

  var flaw: String? { bell.withLock { reason } }

  func bytesSent(by rank: Int) -> Int { bell.withLock { sent[rank] ?? 0 } }

  func end(_ reason: String) {
    bell.withLock {
      self.reason = self.reason ?? reason
      bell.broadcast()
    }
  }

  func send(_ bytes: [UInt8], from: Int, to: Int) {
    bell.withLock {
      guard reason == nil else { return }
      messages[Edge(from: from, to: to), default: []].append(bytes)
      sent[from, default: 0] += bytes.count
      bell.broadcast()
    }
  }

  /// The oldest message, empty where there will be none.
  func receive(from: Int, to: Int) -> [UInt8] {
    bell.withLock {
      let edge = Edge(from: from, to: to)
      while messages[edge]?.isEmpty ?? true, reason == nil { bell.wait() }
      guard messages[edge]?.isEmpty == false else { return [] }
      return messages[edge]?.removeFirst() ?? []
    }
  }
}
