internal import Foundation

extension RankGroup {
  /// Has every rank know what the others have put in their parts of `memory`, of which rank r's
  /// begins at `bounds[r]`, in bytes.
  package func share(_ memory: UnsafeMutableRawBufferPointer, bounds: [Int]) {
    guard count > 1, let base = memory.baseAddress else { return }
    precondition(bounds.count == count + 1 && bounds[count] <= memory.count)
    gather(base, bounds: bounds) { $0 }
  }

  /// - Parameters: `place` tells the part of a rank and, since it is its own inverse, the rank of a
  ///   part
  func gather(_ base: UnsafeMutableRawPointer, bounds: [Int], place: (Int) -> Int) {
    let own = place(rank)
    var level = 1
    while level < count {
      let first = own & ~(level - 1)
      let other = first ^ level
      exchange(
        with: place(own ^ level),
        sending: UnsafeRawBufferPointer(
          start: base + bounds[first], count: bounds[first + level] - bounds[first]),
        receiving: UnsafeMutableRawBufferPointer(
          start: base + bounds[other], count: bounds[other + level] - bounds[other]))
      level <<= 1
    }
  }

  /// Rank 0's bytes, on every rank; those of the others are of no account.
  package func told(_ bytes: [UInt8]) -> [UInt8] {
    guard count > 1 else { return bytes }
    var length = UInt64(bytes.count)
    withUnsafeMutableBytes(of: &length) { tell($0) }
    var result = bytes
    if !isFirst { result = [UInt8](repeating: 0, count: flaw == nil ? Int(length) : 0) }
    if length > 0 { result.withUnsafeMutableBytes { tell($0) } }
    return result
  }

  /// Rank 0's numbers, on every rank.
  package func tell(_ values: inout [Double]) {
    guard count > 1 else { return }
    values.withUnsafeMutableBytes { tell($0) }
  }

  /// From rank 0 to its partner along the first edge, from both along the second one, and so on.
  private func tell(_ memory: UnsafeMutableRawBufferPointer) {
    let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var level = 1
    while level < count {
      if rank < level {
        exchange(
          with: rank + level, sending: UnsafeRawBufferPointer(memory), receiving: nothing)
      } else if rank < 2 * level {
        exchange(
          with: rank - level, sending: UnsafeRawBufferPointer(nothing), receiving: memory)
      }
      level <<= 1
    }
  }

  /// What each rank says, in their order.
  package func said(_ words: String) -> [String] {
    guard count > 1 else { return [words] }
    let own = Array(words.utf8)
    var lengths = [Int](repeating: 0, count: count)
    lengths[rank] = own.count
    let stride = MemoryLayout<Int>.stride
    lengths.withUnsafeMutableBytes { share($0, bounds: (0...count).map { $0 * stride }) }
    let bounds = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    guard flaw == nil, bounds[count] > 0 else { return lengths.map { _ in "" } }
    var text = [UInt8](repeating: 0, count: bounds[count])
    text.replaceSubrange(bounds[rank]..<bounds[rank + 1], with: own)
    text.withUnsafeMutableBytes { share($0, bounds: bounds) }
    return zip(bounds, bounds.dropFirst()).map { String(decoding: text[$0..<$1], as: UTF8.self) }
  }
}

extension RankGroup {
  /// What rank 0 comes to, on every rank; the others do nothing.
  /// - Throws: On rank 0 what `body` throws, elsewhere ``RankError/failed(rank:host:reason:)`` with
  ///   its words.
  package func led<Value: Codable>(_ body: () throws -> Value) throws -> Value {
    guard count > 1 else { return try body() }
    guard isFirst else { return try followed() }
    do {
      let value = try body()
      _ = told(try JSONEncoder().encode([value]).withStatus(0))
      return value
    } catch {
      _ = told(Data("\(error)".utf8).withStatus(1))
      throw error
    }
  }

  private func followed<Value: Codable>() throws -> Value {
    let answer = told([])
    if let flaw { throw RankError.lost(flaw) }
    let content = Data(answer.dropFirst())
    guard answer.first == 0, let value = try JSONDecoder().decode([Value].self, from: content).first
    else {
      throw RankError.failed(
        rank: 0, host: nil, reason: String(decoding: content, as: UTF8.self))
    }
    return value
  }

  /// Has every rank do its part, and all of them fail where one does.
  /// - Throws: What `body` throws here, else ``RankError/failed(rank:host:reason:)`` of the first
  ///   rank that failed.
  package func together<Value>(_ body: () throws -> Value) throws -> Value {
    guard count > 1 else { return try body() }
    let result = Result { try body() }
    let reasons = said(result.failureWords.map { "\(RankHost.name)\n\($0)" } ?? "")
    if let flaw { throw RankError.lost(flaw) }
    let value = try result.get()
    guard let failed = reasons.firstIndex(where: { !$0.isEmpty }) else { return value }
    let parts = reasons[failed].split(separator: "\n", maxSplits: 1).map(String.init)
    throw RankError.failed(rank: failed, host: parts.first, reason: parts.last ?? "")
  }
}

/// Why the ranks do not go on together. The description is one line.
package enum RankError: Error, Equatable, CustomStringConvertible {
  /// Another rank failed.
  case failed(rank: Int, host: String?, reason: String)
  case lost(String)
  /// A rank is about to make another run than rank 0.
  case differs(rank: Int, host: String, fact: RankFact, first: String)

  package var description: String {
    switch self {
    case .failed(let rank, let host, let reason):
      "rank \(rank)\(host.map { " on \($0)" } ?? ""): \(reason)"
    case .lost(let reason): reason
    case .differs(let rank, let host, let fact, let first):
      "rank \(rank) on \(host) has another \(fact.name) than rank 0, \(fact.value) and not"
        + " \(first): \(fact.remedy)"
    }
  }
}

enum RankHost {
  static var name: String { ProcessInfo.processInfo.hostName }
}

extension Data {
  fileprivate func withStatus(_ status: UInt8) -> [UInt8] { [status] + self }
}

extension Result {
  fileprivate var failureWords: String? {
    guard case .failure(let error) = self else { return nil }
    return "\(error)"
  }
}
