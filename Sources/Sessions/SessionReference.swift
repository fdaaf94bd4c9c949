import Formats
import Foundation
import Telemetry

/// A session as a person names it: by its path, or by the name that the list of sessions gives it,
/// with `@1` behind it for its first line.
package struct SessionReference: Sendable, Hashable {
  package let path: String
  /// The line's number; nil for the newest one.
  package let line: Int?

  /// Where sessions lie of which only the name is given.
  package static let folder = "sessions"

  package init(path: String, line: Int? = nil) {
    self.path = path
    self.line = line
  }

  /// Takes `words` for a path, for one without its ending, or for a name in `sessions/`.
  /// - Throws: `unknown`, with the nearest name there is.
  package init(_ words: String) throws(SessionError) {
    if let path = Self.path(words) {
      self.init(path: path)
      return
    }
    if let at = words.lastIndex(of: "@"), let line = Int(words[words.index(after: at)...]),
      line > 0, let path = Self.path(String(words[..<at]))
    {
      self.init(path: path, line: line)
      return
    }
    throw .unknown(name: words, nearest: Self.nearest(to: words))
  }

  /// Whether words name a session, and no other file that lies where they say.
  package static func isSession(_ words: String) -> Bool {
    if FileSystem.exists(words) {
      if FileSystem.isFolder(words) { return false }
      let start = (try? FileSystem.firstBytes(of: words, count: 16)) ?? []
      return start.starts(with: Array("SQLite format 3".utf8))
        || words.hasSuffix(SessionSummary.ending)
    }
    return path(words) != nil || (try? SessionReference(words)) != nil
  }

  private static func path(_ words: String) -> String? {
    let ending = SessionSummary.ending
    let candidates = [words, words + ending, "\(folder)/\(words)", "\(folder)/\(words)\(ending)"]
    return words.isEmpty
      ? nil
      : candidates.first { FileSystem.exists($0) && !isFolder($0) }
        ?? candidates.first { FileSystem.exists($0) }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Whether `words` end with a line's number.
  package static func hasLine(_ words: String) -> Bool {
    words.lastIndex(of: "@").flatMap { Int(words[words.index(after: $0)...]) } != nil
  }

  /// The name that a person may have meant: in the folder that was named, or in `sessions/`.
  private static func nearest(to words: String) -> String? {
    let base = words.split(separator: "@").first.map(String.init) ?? words
    let place = base.lastIndex(of: "/").map { String(base[..<$0]) }
    let file = base.split(separator: "/").last.map(String.init) ?? base
    let ending = SessionSummary.ending
    let name = file.hasSuffix(ending) ? String(file.dropLast(ending.count)) : file
    let folders = place.map { [$0] } ?? [folder, "."]
    let files = folders.flatMap {
      (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? []
    }
    let names = Set(files.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) })
    let nearest = name.nearest(among: names.sorted())
    return nearest.map { name in place.map { "\($0)/\(name)\(ending)" } ?? name }
  }

  /// The file's name without its ending, and which line: `rescue`, `rescue@1`.
  package var name: String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let ending = SessionSummary.ending
    let name = file.hasSuffix(ending) ? String(file.dropLast(ending.count)) : file
    return name + suffix
  }

  /// What is typed behind the path or the name.
  package var suffix: String { line.map { "@\($0)" } ?? "" }
}
