import Dashboard
import Formats
import Foundation
import Runs
import Signals
import Synchronization
import Telemetry

/// The logs that were named to be watched, one of which is on the screen: runs come, grow and end
/// while it is.
final class LogRoster: Sendable {
  private struct Content {
    var runs: [LoggedRun] = []
    /// The records of the ranks of those that have several, by their keys.
    var ranks: [String: [LoggedRun]] = [:]
    /// The runs that were there when last looked, by their keys.
    var known: Set<String> = []
    var present: String?
    var listed: [String: (change: Double, run: ListedRun)] = [:]
  }

  let aliases: MetricAliases
  let places: [String]
  /// The runs of files that were named: only folders gain others.
  private let named: [LoggedRun]
  private let content: Mutex<Content>

  /// Larger records are listed unread.
  private static let mostBytes = 8 << 20
  /// Of so many runs those that grew last are read for the list, the others are named in it.
  private static let mostRead = 2000
  /// A record that has grown within so many seconds is being written.
  private static let freshSeconds = 60.0

  /// The runs of these places, the one that grew last first.
  /// - Throws: ``FormatError`` where nothing is found at a place.
  init(places: [String], aliases: MetricAliases, waits: Bool) throws(FormatError) {
    (self.places, self.aliases) = (places, aliases)
    var named: [LoggedRun] = []
    var runs: [LoggedRun] = []
    for place in places {
      let found = try FollowedLog.runs(at: place, waits: waits)
      if FileSystem.isFolder(place) { runs += found } else { named += found }
    }
    self.named = named
    let (found, ranks) = Self.ordered(named + runs)
    content = Mutex(Content(runs: found, ranks: ranks, known: Set(found.map(\.key))))
  }

  /// The one that grew last first, each with the records of its ranks.
  private static func ordered(
    _ runs: [LoggedRun]
  ) -> (runs: [LoggedRun], ranks: [String: [LoggedRun]]) {
    var seen: Set<String> = []
    let groups = LoggedRun.byRanks(runs.filter { seen.insert($0.key).inserted })
    let sorted = groups.map { ($0[0], $0[0].lastChange) }.sorted { $0.1 > $1.1 }.map(\.0)
    let ranks = groups.filter { $0.count > 1 }.map { ($0[0].key, $0) }
    return (sorted, Dictionary(uniqueKeysWithValues: ranks))
  }

  /// A run as it is followed: of several ranks as one. After `patience` seconds a part of a long
  /// record is shown, and the rest as it is read.
  func log(of run: LoggedRun, patience: Double?) -> any LogSource {
    guard let ranks = content.withLock({ $0.ranks[run.key] }) else {
      return FollowedLog(run, aliases: aliases, patience: patience)
    }
    return RankedLog(ranks, aliases: aliases)
  }

  var runs: [LoggedRun] { content.withLock { $0.runs } }

  func run(at key: String) -> LoggedRun? {
    content.withLock { $0.runs.first { $0.key == key } }
  }

  /// Which run is on the screen.
  func show(_ run: LoggedRun) { content.withLock { $0.present = run.key } }

  /// Looks at the places anew.
  /// - Returns: the runs that have come since the last look.
  func look() -> [LoggedRun] {
    let folders = places.filter { FileSystem.isFolder($0) }
    guard !folders.isEmpty else { return [] }
    let found = folders.flatMap { (try? FollowedLog.runs(at: $0, waits: false)) ?? [] }
    return content.withLock { content in
      (content.runs, content.ranks) = Self.ordered(named + found)
      return content.runs.filter { content.known.insert($0.key).inserted }
    }
  }

  /// The runs as the list of runs shows them.
  func listed() -> [ListedRun] {
    let (runs, present, known) = content.withLock { ($0.runs, $0.present, $0.listed) }
    let listed = runs.enumerated().map { place, run in
      let change = run.lastChange
      if let (before, found) = known[run.key], before == change { return (run, change, found) }
      let mostBytes = place < Self.mostRead ? Self.mostBytes : -1
      return (run, change, ListedRun(run, change: change, mostBytes: mostBytes))
    }
    content.withLock { content in
      for (run, change, found) in listed { content.listed[run.key] = (change, found) }
    }
    let now = Date().timeIntervalSince1970
    return listed.map { run, change, found in
      var found = found
      found.details.isPresent = run.key == present
      if found.traits.state.isEmpty || found.traits.state == "running" {
        let isFresh = now - change < Self.freshSeconds
        found.details.standing = isFresh ? .live : .finished
        found.traits.state = isFresh ? "live" : "silent"
      }
      return found
    }
  }
}

extension ListedRun {
  /// A run that another program logs; one of more bytes than that is not read.
  fileprivate init(_ run: LoggedRun, change: Double, mostBytes: Int) {
    var traits = RunTraits()
    traits.name = run.name
    self.init(path: run.key, steps: 0, finalLoss: nil, traits: traits)
    details.lastWritten = change
    details.bytes = run.paths.reduce(0) { $0 + (FileSystem.size($1) ?? 0) }
    details.folder = Invocation.shown(FileSystem.folder(of: run.paths[0]))
    guard details.bytes <= mostBytes else { return }
    let log = FollowedLog(run)
    guard let history = try? log.history() else {
      details.standing = .unreadable
      return
    }
    steps = history.stepsDone
    let loss = history[MetricCatalog.loss]
    finalLoss = loss?.lastValue
    self.traits.state = history.state.word
    self.traits.options = history.description?.options ?? [:]
    self.traits.environment = history.description?.environment ?? [:]
    self.traits.metrics = history.names
    self.traits.alarms = history.events.count { $0.kind == .alarm }
    details.totalSteps = history.description?.totalSteps
    details.standing = Self.standing(history.state, log.state)
    if let loss { details.loss = CurveOutline(of: loss) }
  }

  private static func standing(_ state: RunState, _ source: SourceState) -> RunDetails.Standing {
    if case .gone = source { return .killed }
    switch state {
    case .starting, .running: return .live
    case .paused: return .paused
    case .finished: return .finished
    case .stopped: return .stopped
    case .diverged: return .diverged
    case .failed: return .failed
    }
  }
}
