import Foundation
import Sessions
import Signals
import Training

/// A run that is to go on from a checkpoint behind the end of its session: what lies ahead of the
/// checkpoint becomes an abandoned line, unless the run branches off.
struct SteppingBack {
  private let session: String
  private let step: Int
  private let summary: SessionSummary
  /// Whether there is a checkpoint nearer to the end, so that this one was hardly chosen for want of
  /// another.
  let hasChoice: Bool

  /// nil where nothing lies ahead, or where only what a killed run had done last comes again.
  init?(_ plan: RunPlan) {
    guard let checkpoint = plan.checkpoint, plan.branch == nil,
      FileManager.default.fileExists(atPath: plan.sessionPath)
    else { return nil }
    session = plan.sessionPath
    step = checkpoint.step
    summary = SessionSummary(path: session)
    guard summary.flaw == nil, !summary.isLive, summary.steps > step else { return nil }
    let entries = try? CheckpointFolder.list(in: plan.checkpointFolder.path)
    hasChoice = entries?.contains { $0.step > checkpoint.step } ?? false
    if summary.isKilled, !hasChoice, plan.changes.isEmpty { return nil }
  }

  private var place: String {
    "\(Invocation.shown(session)) has \(NumberText.grouped(summary.steps)) steps"
  }

  private var line: String {
    SessionReference(path: session, line: summary.newest.number).name
  }

  var warning: String {
    "\(place): going on from step \(NumberText.grouped(step)) leaves"
      + " \(NumberText.grouped(summary.steps - step)) of them as line \(line);"
      + " --branch NAME goes on in a session of its own"
  }

  /// Asks on the terminal.
  /// - Returns: the name of a branch, nil to go on here.
  /// - Throws: a failure where no answer comes.
  func ask() throws(Failure) -> String? {
    say("\(place), and you go on from step \(NumberText.grouped(step)).\n")
    say("enter goes on here: the later steps stay as line \(line)\n")
    while true {
      say("or the name of a session to go on in, which leaves this one as it is: ")
      guard let answer = readLine()?.trimmingCharacters(in: .whitespaces) else {
        throw Failure(.usage, "no answer: \(warning)")
      }
      if answer.isEmpty { return nil }
      do {
        _ = try RunPlan.branchPath(answer, beside: session)
        return answer
      } catch {
        say("\(error)\n")
      }
    }
  }
}

extension SteppingBack {
  private func say(_ text: String) {
    StandardOutput.say(text)
  }
}

extension RunPlan {
  /// Where the branch called `name` of the run in `session` is recorded.
  /// - Throws: where it is no name, or one that is taken.
  static func branchPath(_ name: String, beside session: String) throws -> String {
    let ending = SessionSummary.ending
    let stem = name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
    guard !stem.isEmpty, !stem.hasPrefix("."), !stem.contains("/"), !stem.contains("\0") else {
      throw Failure.usage(
        "--branch '\(name)': give a name without / that begins with no dot")
    }
    let folder = session.lastIndex(of: "/").map { String(session[...$0]) } ?? ""
    let path = folder + stem + ending
    for place in [path, checkpointFolder(of: path).path]
    where FileManager.default.fileExists(atPath: place) {
      throw SessionError.taken(path: place)
    }
    return path
  }

  /// Sees to it that what is recorded behind the checkpoint is not left unawares: a person at a
  /// terminal is asked where there is a choice, all others are told.
  mutating func settleLine(branch name: String?) throws {
    if let name {
      try branchOff(name)
    } else if let back = SteppingBack(self) {
      guard watcher == .dashboard, back.hasChoice else { return Seismo.report(back.warning) }
      if let name = try back.ask() { try branchOff(name) }
    }
  }

  private mutating func branchOff(_ name: String) throws {
    guard let checkpoint else {
      throw Failure.usage("--branch \(name): it goes with --resume CHECKPOINT")
    }
    let path = try Self.branchPath(name, beside: sessionPath)
    let parent = self.name
    branch = Branching(origin: sessionPath, parent: "\(parent) at step \(checkpoint.step)")
    sessionPath = path
  }

  /// The session that a run branches off from.
  struct Branching {
    let origin: String
    /// As the description tells it.
    let parent: String
  }
}
