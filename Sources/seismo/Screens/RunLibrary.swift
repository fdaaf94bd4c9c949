import Dashboard
import Dispatch
import Foundation
import Runs
import Sessions
import Signals
import Synchronization
import Telemetry

/// The sessions of a few places, each read once for as long as it stays as it is.
final class RunLibrary: Sendable {
  private struct Entry {
    var stamp: SessionFiles.Stamp
    /// The run, then the lines that it went back from.
    var runs: [ListedRun]
  }

  private struct Content {
    /// What a person named besides the present run's folder: folders, and files alone.
    var folders: [String] = []
    var files: [String] = []
    var entries: [String: Entry] = [:]
  }

  private let content = Mutex(Content())

  /// Seconds up to the first report of what has been read so far, and between two of them.
  private static let reportSeconds = 0.15

  /// The list of all sessions; `report` has it before, with those that are read already.
  func list(beside session: String?, report: (Action) -> Void) -> Action {
    let home = Self.folder(of: session)
    let (folders, files) = content.withLock { ($0.folders, $0.files) }
    let all = [home] + folders.filter { $0 != home }
    let listed = all.flatMap { (try? SessionSummary.paths(in: $0)) ?? [] }
    let paths = listed + files.filter { !listed.contains($0) }
    let places = all.map(Self.shown)
    let present = session.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    func listing() -> Action {
      .runsListed(paths.flatMap { self.runs(at: $0, present) }, in: places)
    }

    let unread = paths.map { (path: $0, stamp: SessionFiles(path: $0).stamp) }
      .filter { path, stamp in content.withLock { $0.entries[path]?.stamp != stamp } }
      .sorted { $0.stamp.lastWritten > $1.stamp.lastWritten }
    guard !unread.isEmpty else { return listing() }
    content.withLock { content in
      for (path, stamp) in unread where content.entries[path] == nil {
        content.entries[path] = Entry(stamp: stamp, runs: [ListedRun(unread: path, stamp)])
      }
    }
    var last = DispatchTime.now().uptimeNanoseconds
    for (path, stamp) in unread {
      let runs = ListedRun.all(inSessionAt: path)
      content.withLock { $0.entries[path] = Entry(stamp: stamp, runs: runs) }
      guard Double(DispatchTime.now().uptimeNanoseconds - last) / 1e9 > Self.reportSeconds else {
        continue
      }
      report(listing())
      last = DispatchTime.now().uptimeNanoseconds
    }
    return listing()
  }

  private func runs(at path: String, _ present: String?) -> [ListedRun] {
    let folder = Self.shown(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    let checkpoints = SessionFiles(path: path).checkpointCount
    return (content.withLock { $0.entries[path]?.runs } ?? []).map { run in
      var run = run
      run.details.isPresent = run.path == present
      run.details.folder = folder
      run.details.checkpoints = checkpoints
      return run
    }
  }

  /// Looks in a folder or a file too, and gives the sessions there.
  func add(_ place: String, beside session: String?) throws(RunError) -> [String] {
    let typed = NSString(string: place.trimmingCharacters(in: .whitespaces)).expandingTildeInPath
    let path = Self.path(of: typed, beside: session)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .nothingThere(place: place)
    }
    guard isFolder.boolValue else {
      content.withLock { content in
        if !content.files.contains(path) { content.files.append(path) }
      }
      return [path]
    }
    guard let found = try? SessionSummary.paths(in: path) else {
      throw .notListable(place: place)
    }
    guard !found.isEmpty else {
      throw .noSessionThere(place: place)
    }
    content.withLock { content in
      if !content.folders.contains(path) { content.folders.append(path) }
    }
    return found
  }

  /// The place that was typed: as a path, or by its name in the present run's folder.
  private static func path(of typed: String, beside session: String?) -> String {
    let ending = SessionSummary.ending
    let names =
      [typed, typed + ending]
      + (typed.contains("/")
        ? []
        : [
          folder(of: session) + "/" + typed + ending
        ])
    let paths = names.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    return paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
  }

  private static func folder(of session: String?) -> String {
    guard let session else { return URL(fileURLWithPath: ListSessions.usual).path }
    return URL(fileURLWithPath: session).standardizedFileURL.deletingLastPathComponent().path
  }

  /// A folder as a person would type it.
  private static func shown(_ folder: String) -> String {
    let here = FileManager.default.currentDirectoryPath
    if folder == here { return "." }
    if folder.hasPrefix(here + "/") { return String(folder.dropFirst(here.count + 1)) }
    let home = NSHomeDirectory()
    return folder.hasPrefix(home + "/") ? "~" + folder.dropFirst(home.count) : folder
  }
}

extension ListedRun {
  /// A session of which nothing is known but that it is there.
  init(unread path: String, _ stamp: SessionFiles.Stamp) {
    var traits = RunTraits()
    traits.name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    self.init(path: path, steps: 0, finalLoss: nil, traits: traits)
    details.bytes = stamp.bytes
    details.lastWritten = stamp.lastWritten
  }

  init(sessionAt path: String) {
    let (summary, outline) = SessionSummary.outlined(path: path)
    self.init(summary, outline)
  }

  private init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init(
      path: URL(fileURLWithPath: summary.path).standardizedFileURL.path, steps: summary.steps,
      finalLoss: summary.judgedLoss, traits: RunTraits(summary, outline))
    details = RunDetails(summary, outline)
  }

  /// A session's run, then the lines that it went back from, to be looked at like other runs.
  static func all(inSessionAt path: String) -> [ListedRun] {
    let (summary, outline) = SessionSummary.outlined(path: path)
    let run = ListedRun(summary, outline)
    let lines = zip(summary.abandoned, outline?.abandoned ?? []).map { line, loss in
      let reference = SessionReference(path: run.path, line: line.number)
      var traits = RunTraits()
      (traits.name, traits.state) = (reference.name, "abandoned")
      (traits.options, traits.environment) = (line.options ?? summary.options, summary.environment)
      var other = ListedRun(
        path: reference.path + reference.suffix, steps: line.steps, finalLoss: line.judgedLoss,
        traits: traits)
      other.details.standing = .stopped
      other.details.line = RunDetails.Origin(of: run.path, leftAt: line.leftAt ?? 0)
      (other.details.heldOut, other.details.best) = (line.heldOut, line.best)
      (other.details.loss, other.details.rate) = (loss, RunDetails.rate(in: traits.options))
      return other
    }
    return [run] + lines
  }
}

extension RunDetails {
  init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init()
    standing = Self.standing(of: summary)
    flaw = summary.flaw
    totalSteps = summary.totalSteps
    rate = Self.rate(in: summary.options)
    lastWritten = summary.lastWritten
    bytes = summary.bytes
    (heldOut, best) = (summary.heldOut, summary.best)
    guard let outline else { return }
    (loss, heldOutCurve, events) = (outline.loss, outline.heldOut, outline.events)
  }

  static func rate(in options: [String: String]) -> Double? {
    options["lr"].flatMap { SettingValue(words: $0)?.number }
  }

  private static func standing(of summary: SessionSummary) -> Standing {
    if summary.flaw != nil { return .unreadable }
    if summary.isKilled { return .killed }
    if summary.isLive { return summary.state == .paused ? .paused : .live }
    switch summary.state {
    case .finished: return .finished
    case .stopped: return .stopped
    case .diverged: return .diverged
    case .failed: return .failed
    case .starting, .running, .paused: return .killed
    }
  }
}
