import Dashboard
import Foundation
import Sessions
import Signals

extension RunEdit {
  /// Does it, and says what was done and where the run is now.
  func perform() throws(SessionError) -> (words: String, path: String?) {
    let files = SessionFiles(path: path)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    switch self {
    case .tag(_, let words):
      let tags = SessionFiles.tags(in: words)
      try files.set(tags: tags)
      return (
        tags.isEmpty ? "\(name) has no tags" : "\(name): " + tags.joined(separator: ", "), path
      )
    case .note(_, let text):
      let step = try files.add(note: text.trimmingCharacters(in: .whitespaces))
      return ("noted in \(name) at step \(NumberText.grouped(step))", path)
    case .rename(_, let next):
      let path = try files.rename(to: next)
      return ("\(name) is \(next) now", path)
    case .remove(_, let withCheckpoints):
      try files.remove(withCheckpoints: withCheckpoints)
      return ("\(name) is removed", nil)
    }
  }
}
