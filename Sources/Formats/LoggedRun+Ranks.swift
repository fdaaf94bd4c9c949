import Foundation

extension LoggedRun {
  /// Which rank's record this is, as its path says it with the last `rank` and a number behind it, and
  /// what the records of all ranks have in common; nil where it says none.
  package var rank: (number: Int, common: String)? {
    let word = /(?i)(?:^|[^a-z])rank[-_.=]?(\d{1,6})/
    guard part == nil, let match = paths[0].matches(of: word).last, let number = Int(match.1) else {
      return nil
    }
    return (
      number, paths[0].replacingCharacters(in: match.1.startIndex..<match.1.endIndex, with: "#")
    )
  }

  /// The runs with the records of their ranks, in the order in which the first of each comes; the
  /// records of a run in the order of the ranks.
  package static func byRanks(_ runs: [LoggedRun]) -> [[LoggedRun]] {
    var groups: [[LoggedRun]] = []
    var places: [String: Int] = [:]
    for run in runs {
      guard let rank = run.rank, let place = places[rank.common],
        groups[place][0].format == run.format
      else {
        if let rank = run.rank { places[rank.common] = groups.count }
        groups.append([run])
        continue
      }
      groups[place].append(run)
    }
    return groups.map { group in
      group.sorted { ($0.rank?.number ?? 0, $0.key) < ($1.rank?.number ?? 0, $1.key) }
    }
  }
}
