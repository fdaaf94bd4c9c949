import Dispatch
import Foundation
package import Sessions
import Synchronization

/// The sessions of a few places, each read once for as long as it stays as it is.
package final class RunLibrary: Sendable {
  /// What was found, as far as it is read.
  package struct Listing: Sendable {
    package let sessions: [FoundSession]
    /// The folders that were looked in, as a person would type them.
    package let places: [String]
  }

  private struct Entry {
    var stamp: SessionFiles.Stamp
    var content: FoundSession.Content
  }

  private struct Content {
    /// What a person named besides the present run's folder: folders, and files alone.
    var folders: [String] = []
    var files: [String] = []
    var entries: [String: Entry] = [:]
  }

  private let content = Mutex(Content())

  package init() {}

  /// Seconds up to the first report of what has been read so far, and between two of them.
  private static let reportSeconds = 0.15

  /// The list of all sessions; `report` has it before, with those that are read already.
  package func list(beside session: String?, report: (Listing) -> Void = { _ in }) -> Listing {
    let home = Self.folder(of: session)
    let (folders, files) = content.withLock { ($0.folders, $0.files) }
    let all = [home] + folders.filter { $0 != home }
    let listed = all.flatMap { (try? SessionSummary.paths(in: $0)) ?? [] }
    let paths = listed + files.filter { !listed.contains($0) }
    let places = all.map(Self.shown)
    func listing() -> Listing {
      Listing(sessions: paths.compactMap { found(at: $0) }, places: places)
    }

    let unread = paths.map { (path: $0, stamp: SessionFiles(path: $0).stamp) }
      .filter { path, stamp in content.withLock { $0.entries[path]?.stamp != stamp } }
      .sorted { $0.stamp.lastWritten > $1.stamp.lastWritten }
    guard !unread.isEmpty else { return listing() }
    content.withLock { content in
      for (path, stamp) in unread where content.entries[path] == nil {
        content.entries[path] = Entry(stamp: stamp, content: .unread(stamp))
      }
    }
    var last = DispatchTime.now().uptimeNanoseconds
    for (path, stamp) in unread {
      let (summary, outline) = SessionSummary.outlined(path: path)
      content.withLock {
        $0.entries[path] = Entry(stamp: stamp, content: .read(summary, outline))
      }
      guard Double(DispatchTime.now().uptimeNanoseconds - last) / 1e9 > Self.reportSeconds else {
        continue
      }
      report(listing())
      last = DispatchTime.now().uptimeNanoseconds
    }
    return listing()
  }

  private func found(at path: String) -> FoundSession? {
    guard let content = content.withLock({ $0.entries[path]?.content }) else { return nil }
    return FoundSession(
      path: path, content: content,
      folder: Self.shown(URL(fileURLWithPath: path).deletingLastPathComponent().path),
      checkpoints: SessionFiles(path: path).checkpointCount)
  }

  /// Looks in a folder or a file too, and gives the sessions there.
  package func add(_ place: String, beside session: String?) throws(RunError) -> [String] {
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
    let named = folder(of: session) + "/" + typed + ending
    let names = [typed, typed + ending] + (typed.contains("/") ? [] : [named])
    let paths = names.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    return paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
  }

  private static func folder(of session: String?) -> String {
    guard let session else { return URL(fileURLWithPath: SessionReference.folder).path }
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

/// A session in a place that is looked at.
package struct FoundSession: Sendable {
  package enum Content: Sendable {
    /// It is there; what it holds is still to be read.
    case unread(SessionFiles.Stamp)
    /// Its outline is nil where it cannot be read.
    case read(SessionSummary, SessionOutline?)
  }

  package let path: String
  package let content: Content
  /// Its folder as a person would type it.
  package let folder: String
  package let checkpoints: Int
}
