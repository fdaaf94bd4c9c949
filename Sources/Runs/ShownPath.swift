import Foundation
import Telemetry

/// A path as a person who stands in the working directory would type it.
package enum ShownPath {
  /// `path` relative to the working directory where it lies below it, quoted for a shell.
  package static func text(_ path: String) -> String {
    let folder = FileManager.default.currentDirectoryPath + "/"
    let short = path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    return ShellWord.quoted(short)
  }
}
