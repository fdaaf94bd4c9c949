internal import Foundation

/// Something that must be the same on all ranks, or their numbers would part.
package struct RankFact: Sendable, Equatable, Codable {
  /// What it is, as a person names it.
  package let name: String
  package let value: String
  /// What to do where ranks differ in it.
  package let remedy: String

  package init(_ name: String, _ value: String, remedy: String) {
    self.name = name
    self.value = value
    self.remedy = remedy
  }
}

extension RankGroup {
  /// Sees to it that all ranks are about to make the same run.
  /// - Throws: ``RankError/differs(rank:host:fact:first:)``, on all of them the same.
  package func agree(on facts: [RankFact]) throws {
    guard count > 1 else { return }
    let own = RankFacts(host: RankHost.name, facts: facts)
    let words = try said(String(decoding: JSONEncoder().encode(own), as: UTF8.self))
    if let flaw { throw RankError.lost(flaw) }
    let all = try words.map {
      try JSONDecoder().decode(RankFacts.self, from: Data($0.utf8))
    }
    for (rank, other) in all.enumerated() {
      for (fact, first) in zip(other.facts, all[0].facts) where fact.value != first.value {
        throw RankError.differs(rank: rank, host: other.host, fact: fact, first: first.value)
      }
    }
  }
}

private struct RankFacts: Codable {
  let host: String
  let facts: [RankFact]
}
