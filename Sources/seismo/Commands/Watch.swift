import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look on while another process trains, and lend a hand.",
    discussion: """
      Keys give their commands to the run by its control socket; --read-only only looks on. \
      Leaving ends nothing. A run that branches off is followed into its new session. A table, \
      JSON lines, event files, a .wandb file or a log that a program prints is shown as it grows. \
      A file whose program names its control socket, as the Python client's do, takes commands.
      """)

  @Argument(
    help: """
      a session that is being written: a file, or a name (default: the latest in sessions/); what \
      another program logs to: files or folders; - for standard input; host:PATH for another \
      machine's
      """)
  var sources: [String] = []
  @Flag(help: "look on only: no key changes the run") var readOnly = false
  @Option(help: "theme: see seismo themes") var theme: String?
  @Flag(help: "wait for a file or a folder's first run that is not there yet") var wait = false
  @Flag(help: "write what another program logs to a session as it grows") var record = false
  @Option(help: "the session to write (default: sessions/NAME.seismo); means --record too")
  var session: String?
  @Flag(inversion: .prefixedNo, help: .of("monitor")) var monitor = true
  @Flag(
    name: .customLong("no-aliases"),
    help: "leave all metrics of another program's log their own names")
  var keepsNames = false

  mutating func validate() throws {
    guard sources.count > 1 else { return }
    if sources.contains("-") { throw ValidationError("-: standard input is watched alone") }
    if let place = sources.first(where: { Self.place($0) != nil }) {
      throw ValidationError("\(place): another machine's record is watched alone")
    }
  }

  mutating func run() throws {
    if sources == ["-"] { return try followStandardInput() }
    if let place = sources.first.flatMap(Self.place) { return try follow(place) }
    let logs = sources.filter(isLog)
    guard logs.isEmpty else { return try follow(logs) }
    if record || session != nil {
      throw Failure.usage("--record: a session is written already; it is for others' logs")
    }
    try watchSessions()
  }

  /// Another machine's file; what lies here under such a name is meant first.
  private static func place(_ words: String) -> RemotePlace? {
    FileManager.default.fileExists(atPath: words) ? nil : RemotePlace(words)
  }

  private func isLog(_ words: String) -> Bool {
    guard !SessionReference.isSession(words) else { return false }
    return FileManager.default.fileExists(atPath: words) || wait
  }

  /// A name with an ending of its own is a file's, one with a slash at its end a folder's, neither a
  /// session's.
  private static func isAbsentLog(_ words: String) -> Bool {
    if words.hasSuffix("/") { return true }
    let ending = URL(fileURLWithPath: words).pathExtension
    return !ending.isEmpty && ending != "seismo" && !SessionReference.isSession(words)
  }

  private func watchSessions() throws {
    if let absent = sources.first(where: Self.isAbsentLog) {
      let kind = absent.hasSuffix("/") ? "folder" : "file"
      throw Failure(.badInput, "no \(kind) \(absent): --wait waits for one that is still to come")
    }
    var named = try sources.map { try SessionReference.file($0) }
    if named.isEmpty { named = [try Replay.latest()] }
    let ordered = named.sorted { Self.lastWritten($0) > Self.lastWritten($1) }
    let path = try WatchedRun.present(ordered[0])
    if path != ordered[0] {
      Seismo.report("\(Invocation.shown(ordered[0])) goes on in \(Invocation.shown(path))")
    }
    // A file that cannot be read is told before a terminal is asked for.
    _ = try WatchedRun(path: path)
    try checkTerminal()
    var viewing = self.viewing
    viewing.others = Array(ordered.dropFirst())
    try viewing.goOn(after: viewing.watch(path))
  }

  private static func lastWritten(_ session: String) -> Double {
    SessionFiles(path: session).stamp.lastWritten
  }

  private var viewing: Viewing {
    var viewing = Viewing(isReadOnly: readOnly, theme: theme)
    (viewing.records, viewing.session) = (record || session != nil, session)
    viewing.monitorsMachine = monitor
    return viewing
  }

  private func checkTerminal(needsKeys: Bool = true) throws(Failure) {
    guard isatty(STDOUT_FILENO) != 0, !needsKeys || isatty(STDIN_FILENO) != 0 else {
      throw Failure.usage(
        "watch needs a terminal: '\(Invocation.command) replay --text' prints one screen")
    }
  }

  /// A folder has nothing to show before its first run.
  private func awaitRuns(in folders: [String]) throws(Failure) {
    for folder in folders where !Self.hasRuns(folder) {
      try checkTerminal()
      Seismo.report("waiting for a run in \(folder)")
      while !Self.hasRuns(folder) { Thread.sleep(forTimeInterval: 0.2) }
    }
  }

  private static func hasRuns(_ folder: String) -> Bool {
    (try? FollowedLog.runs(at: folder, waits: false))?.isEmpty == false
  }

  private func follow(_ logs: [String]) throws {
    if wait { try awaitRuns(in: logs.filter { $0.hasSuffix("/") || FileSystem.isFolder($0) }) }
    let roster = try LogRoster(
      places: logs, aliases: .ofPerson(keepsNames: keepsNames), waits: wait)
    guard let first = roster.runs.first else { throw FormatError.absent(path: logs[0]) }
    try checkTerminal()
    var viewing = self.viewing
    viewing.roster = roster
    viewing.others = try sources.filter { !logs.contains($0) }.map { try SessionReference.file($0) }
    try viewing.goOn(after: viewing.follow(first))
  }

  /// Keys come from the terminal itself.
  private func followStandardInput() throws {
    guard isatty(STDIN_FILENO) == 0 else {
      throw Failure.usage("watch -: standard input is the terminal: pipe a log into it")
    }
    try checkTerminal(needsKeys: false)
    let log = StandardInputLog(aliases: .ofPerson(keepsNames: keepsNames))
    try viewing.goOn(after: viewing.follow(log, named: "stdin", at: "standard input"))
  }

  private func follow(_ place: RemotePlace) throws {
    try checkTerminal()
    let log = RemoteLog(place, aliases: .ofPerson(keepsNames: keepsNames))
    try viewing.goOn(after: viewing.follow(log, named: place.name, at: place.words))
  }
}
