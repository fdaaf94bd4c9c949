import Formats
import Foundation
import Sessions
import Telemetry

/// A run that is recorded otherwise than in lines, as the lines it is worth: event files, a `.wandb`,
/// a trainer's state, a session.
///
/// It is told from its beginning each time: there is no byte to go on from. The line on the relay says
/// so, with a mark of what is told, by which whoever reads it knows what it has had already.
final class RecordRelay {
  private let desk: RelayDesk
  private let path: String
  private let mark: String
  /// The records that have come, all there are at first; nil where nothing more will come.
  private let next: () throws -> [RunRecord]?
  private let isSession: Bool

  /// A run that another program logs.
  init(_ run: LoggedRun, desk: RelayDesk) throws(FormatError) {
    (self.desk, path, isSession) = (desk, run.paths[0], false)
    mark = try Self.mark(run)
    // Names are for whoever reads it to give.
    let log = FollowedLog(run, aliases: .none)
    var isOpen = false
    next = {
      guard isOpen else {
        isOpen = true
        return try log.opening()
      }
      var records: [RunRecord] = []
      for case .records(let told) in log.updates(budget: 1 << 18) { records += told }
      guard records.isEmpty else { return records }
      switch log.state {
      case .ended, .gone: return nil
      case .live, .silent, .reading: return []
      case .unreachable(let reason):
        throw FormatError.unreadable(path: run.paths[0], reason: reason)
      }
    }
  }

  /// A session, whoever writes it.
  init(session path: String, desk: RelayDesk) throws {
    (self.desk, self.path, isSession) = (desk, path, true)
    mark = "\(FileSystem.stamp(path).node)-"
    var follower = try Follower(path: path)
    next = {
      let records = try follower.poll()
      return records.isEmpty && follower.writer != .writing ? nil : records
    }
  }

  /// Differs where another record lies at the path; one that is written whole is always the same.
  private static func mark(_ run: LoggedRun) throws(FormatError) -> String {
    guard run.format != .trainerState else { return "-" }
    let count = 24
    var file = try SourceFile(run.paths[0])
    let start = try file.next(upTo: count) ?? []
    var checksum = Checksum()
    checksum.add(start)
    let node = FileSystem.stamp(run.paths[0]).node
    return "\(node)-" + (start.count == count ? "\(checksum.value)" : "")
  }

  /// - Throws: what goes wrong with reading it.
  func run() throws {
    var records = try next()
    note(records ?? [])
    guard greet() else { return }
    while !desk.isOutputGone {
      guard let found = records else { return }
      for line in ProtocolText.lines(of: found) {
        guard desk.put(line + "\n") else { return }
      }
      guard desk.takeAnswers() else { return }
      desk.wait(isBusy: !found.isEmpty)
      desk.takeCommands { refusal }
      records = try next()
      note(records ?? [])
    }
  }

  /// Where a session's run takes its commands.
  private func note(_ records: [RunRecord]) {
    for case .description(let description) in records where isSession {
      desk.trainer = TrainerAddress(control: description.environment[.control])
    }
  }

  private var refusal: String? {
    let unnamed = "a record of that kind has no hands"
    return desk.refusal(
      isWriting: isSession ? WriterLock.isHeld(session: path) : nil, unnamed: unnamed)
  }

  private func greet() -> Bool {
    let shown = JSONLines.quoted(URL(fileURLWithPath: path).path)
    return desk.put(
      "{\"relay\":{\"protocol\":1,\"path\":\(shown),\"offset\":0,\"mark\":\"\(mark)\","
        + "\(RelayDesk.members(refusal))}}\n")
  }
}
