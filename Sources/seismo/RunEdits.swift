import Dashboard
import Foundation
import Sessions
import Signals

extension RunEdit {
  /// Does it, and says what was done.
  func perform() throws(SessionError) -> String {
    let files = SessionFiles(path: path)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    switch self {
    case .tag(_, let words):
      let tags = SessionFiles.tags(in: words)
      try files.set(tags: tags)
      return tags.isEmpty ? "\(name) has no tags" : "\(name): \(tags.joined(separator: ", "))"
    case .note(_, let text):
      let step = try files.add(note: text.trimmingCharacters(in: .whitespaces))
      return "noted in \(name) at step \(NumberText.grouped(step))"
    case .rename(_, let next):
      _ = try files.rename(to: next)
      return "\(name) is \(next) now"
    case .remove(_, let withCheckpoints):
      try files.remove(withCheckpoints: withCheckpoints)
      return "\(name) is removed"
    }
  }
}
