import Dashboard
import Foundation
import Screen

/// A screen written as SVG.
struct ScreenFile {
  /// `-` is standard output.
  let path: String

  func write(_ grid: CellGrid, title: String, theme: Theme) throws {
    let picture = grid.svg(title: title, background: theme.paper, foreground: theme.ink)
    guard path != "-" else {
      try StandardOutput.print(picture)
      return
    }
    do {
      // A file that is renamed into place would take the place of a device.
      try Data(picture.utf8).write(
        to: URL(fileURLWithPath: path), options: OutputFile.isSpecial(path) ? [] : .atomic)
    } catch {
      throw Failure(.failed, "\(path): \(reason): choose another place")
    }
  }

  /// What is in the way.
  private var reason: String {
    let files = FileManager.default
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard files.fileExists(atPath: folder, isDirectory: &isFolder) else {
      return "there is no folder \(folder)"
    }
    guard isFolder.boolValue else { return "\(folder) is a file" }
    if files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return "that is a folder"
    }
    return "cannot be written"
  }

  /// A name that is not taken, in the working directory.
  static func fresh(name: String, step: Int) -> ScreenFile {
    let stem = "\(name)-step-\(step)"
    let candidates = ["\(stem).svg"] + (2...999).map { "\(stem)-\($0).svg" }
    let free = candidates.first { !FileManager.default.fileExists(atPath: $0) }
    return ScreenFile(path: free ?? candidates[0])
  }
}
