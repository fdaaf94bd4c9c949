import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions
import Signals
import Telemetry

extension MetricAliases {
  /// The usual ones with those of a person's settings; none where all metrics keep their names.
  static func ofPerson(keepsNames: Bool) -> MetricAliases {
    keepsNames ? .none : MetricAliases(own: UserConfiguration.found().aliases)
  }
}

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring other tools' records into sessions.",
    discussion: """
      Reads event files of TensorBoard, .wandb files, tables (CSV, TSV and their like), Hugging \
      Face's trainer_state.json, JSON lines and what trainers print; which it is, is found by \
      looking. A folder or a long table with several runs makes a session each. \
      Importing again adds what has come since. What raises an alarm is told as of a run that was \
      watched.
      """)

  @Argument(help: "a file, or a folder in which runs lie") var path: String
  @Option(help: "the session to make or to add to (default: sessions/NAME.seismo)")
  var session: String?
  @Flag(
    name: .customLong("no-aliases"),
    help: "leave all metrics their own names; else those that Seismo knows get its names")
  var keepsNames = false

  mutating func run() throws {
    let logged = try LoggedRun.all(at: path)
    var failures: [any Error] = []
    for run in logged {
      do {
        try bring(run, isAlone: logged.count == 1)
      } catch {
        guard logged.count > 1 else { throw error }
        Seismo.report("\(error)")
        failures.append(error)
      }
    }
    guard let first = failures.first else { return }
    throw Failure(
      .badInput, "\(failures.count) of \(logged.count) runs were not imported, the first: \(first)")
  }

  private func bring(_ logged: LoggedRun, isAlone: Bool) throws {
    var (run, renamed) = try logged.read(aliases: .ofPerson(keepsNames: keepsNames))
    raiseAlarms(in: &run)
    let path = try place(of: logged.name, source: run.description, isAlone: isAlone)
    run.description?.name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    for warning in run.warnings { Seismo.report("\(logged.name): \(warning)") }
    let added = try SessionImport.add(run, to: path)
    let what = added == 0 ? "nothing new" : "\(added) samples of \(run.metricCount) metrics"
    try StandardOutput.print("\(Invocation.shown(path)): \(what)")
    for name in renamed {
      try StandardOutput.print("  \(name.ours) is what it calls \(name.theirs)")
    }
  }

  /// What another trainer's run was like is told as if it had been watched; a run of Seismo's own has
  /// its alarms, or had none.
  private func raiseAlarms(in run: inout RecordedRun) {
    guard run.description?.model == nil else { return }
    let thresholds = AlarmThresholds(options: UserConfiguration.found().alarms)
    run.addAlarms(thresholds: thresholds)
    run.description?.options.merge(thresholds.options) { own, _ in own }
  }

  /// Where a run's session lies, its folder made.
  private func place(of name: String, source: RunDescription?, isAlone: Bool) throws -> String {
    let plain = name.map { $0 == "/" || $0.isWhitespace ? "-" : $0 }
    let stem = plain.first.map { $0 == "." } ?? true ? "run" + String(plain) : String(plain)
    let path = place(stem: stem, source: source, isAlone: isAlone)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(.badInput, "\(path): its folder cannot be made: choose another --session")
    }
    return path
  }

  private func place(stem: String, source: RunDescription?, isAlone: Bool) -> String {
    guard let session else { return Self.ownPath(stem: stem, source: source) }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: session, isDirectory: &isFolder), isFolder.boolValue {
      return URL(fileURLWithPath: session).appendingPathComponent("\(stem).seismo").relativePath
    }
    guard !isAlone else { return session }
    let url = URL(fileURLWithPath: session).deletingPathExtension()
    return "\(url.relativePath)-\(stem).seismo"
  }

  /// The session of this source in sessions/, or a name that no other run has.
  private static func ownPath(stem: String, source: RunDescription?) -> String {
    let candidates = ([stem] + (2...999).map { "\(stem)-\($0)" }).map { "sessions/\($0).seismo" }
    let own = candidates.first { path in
      guard FileManager.default.fileExists(atPath: path) else { return true }
      guard let records = try? SessionReader(path: path).records() else { return false }
      let present = RecordedRun(records: records).description?.environment[.source]
      return present != nil && present == source?.environment[.source]
    }
    return own ?? candidates[0]
  }
}
