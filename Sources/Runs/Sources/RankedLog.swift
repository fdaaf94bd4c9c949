package import Formats
import Foundation
import Signals
package import Telemetry

/// The records that the ranks of another program's run write, each its own, as one run.
///
/// It is the run of the lowest rank, whose hands are its hands; of the others it tells the loss, how
/// far they are apart and behind, and which of them is silent while others are not.
package final class RankedLog: LogSource {
  private struct Member {
    let rank: Int
    let log: FollowedLog
    var isSilent = false
  }

  private var members: [Member]
  private var tally: RankTally
  private var lastStep = 0

  /// What an alarm on a rank that is silent bears as its name.
  package static let silenceName = "rank-silent"

  /// - Parameters: `runs` are the records of the ranks, in their order
  package init(_ runs: [LoggedRun], aliases: MetricAliases = .usual) {
    members = runs.enumerated().map { index, run in
      Member(rank: run.rank?.number ?? index, log: FollowedLog(run, aliases: aliases))
    }
    tally = RankTally(ranks: members.map(\.rank))
  }

  private var first: FollowedLog { members[0].log }

  package func opening() throws -> [RunRecord] {
    let openings = try members.map { try $0.log.opening() }
    var columns: [MetricName: [(step: Int, value: Double)]] = [:]
    for (member, records) in zip(members, openings) {
      for saying in Self.sayings(of: records, by: member.rank) {
        let samples = tally.take(saying)
        for (name, value) in zip(samples.names, samples.values) {
          columns[name, default: []].append((samples.step, value))
        }
      }
    }
    let own = openings[0]
    lastStep = RunHistory(own).lastStep ?? 0
    let families = columns.sorted { $0.key.path < $1.key.path }.map { name, values in
      let sorted = values.sorted { $0.step < $1.step }
      return RunRecord.column(
        MetricColumn(name: name, steps: sorted.map(\.step), values: sorted.map(\.value)))
    }
    let end = own.firstIndex { if case .state = $0 { true } else { false } } ?? own.count
    return Array(own[..<end]) + families + own[end...]
  }

  package func updates(budget: Int) -> [SourceUpdate] {
    var records: [RunRecord] = []
    for index in members.indices {
      let member = members[index]
      for case .records(let told) in member.log.updates(budget: budget / members.count) {
        if index == 0 { records += told }
        records += Self.sayings(of: told, by: member.rank).map { .samples(tally.take($0)) }
      }
    }
    for case .samples(let samples) in records { lastStep = max(lastStep, samples.step) }
    tally.forgetOld()
    records += silences().map { .event($0) }
    return records.isEmpty ? [] : [.records(records)]
  }

  /// An alarm for each rank that has become silent while another one is not, and its end.
  private func silences() -> [RunEvent] {
    let states = members.map(\.log.state)
    guard states.contains(.live) else { return [] }
    var events: [RunEvent] = []
    for (index, state) in states.enumerated() {
      let remark: String? =
        switch state {
        case .silent(_, let remark), .gone(let remark), .unreachable(let remark): remark
        case .live, .ended, .reading: nil
        }
      guard (remark != nil) != members[index].isSilent else { continue }
      members[index].isSilent = remark != nil
      let rank = members[index].rank
      events.append(
        RunEvent(
          step: lastStep, wallTime: Date().timeIntervalSince1970,
          kind: remark == nil ? .calm : .alarm, by: "alarm", name: Self.silenceName,
          text: remark.map { "rank \(rank) is silent and others are not: \($0)" }
            ?? "rank \(rank) writes again"))
    }
    return events
  }

  /// What a rank says of its loss.
  private static func sayings(of records: [RunRecord], by rank: Int) -> [RankTally.Saying] {
    var sayings: [RankTally.Saying] = []
    var times: [Int: Double] = [:]
    for case .column(let column) in records where column.name == MetricColumn.wallTime {
      for (step, time) in zip(column.steps, column.values) { times[step] = time }
    }
    func say(_ step: Int, _ loss: Double, _ time: Double) {
      sayings.append(RankTally.Saying(rank: rank, step: step, loss: loss, time: time))
    }
    for record in records {
      switch record {
      case .column(let column) where column.name == MetricCatalog.loss:
        for (step, loss) in zip(column.steps, column.values) {
          say(step, loss, times[step] ?? .nan)
        }
      case .samples(let samples):
        if let loss = samples[MetricCatalog.loss] { say(samples.step, loss, samples.wallTime) }
      default: break
      }
    }
    return sayings
  }

  /// That of the rank that has most to say.
  package var state: SourceState {
    let states = members.map(\.log.state)
    return states.contains(.live) ? .live : states[0]
  }

  package var refusal: String? { first.refusal }
  package var process: Int32? { first.process }
  package var control: String? { first.control }

  package func wait(milliseconds: Int) { first.wait(milliseconds: milliseconds) }
  package func send(_ command: Command, by author: String) { first.send(command, by: author) }
  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) { first.finish() }
}
