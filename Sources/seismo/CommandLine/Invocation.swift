import Foundation
import Runs

/// How a person who stands in the working directory starts this program again.
enum Invocation {
  /// `seismo` where it is on the path, `swift run -c release seismo` inside the package, else the
  /// path of the binary.
  static let command: String = {
    let typed = CommandLine.arguments.first ?? "seismo"
    guard typed.contains("/") else { return typed }
    let folder = FileManager.default.currentDirectoryPath
    let isBuild = typed.contains("/.build/") || typed.hasPrefix(".build/")
    if isBuild, FileManager.default.fileExists(atPath: folder + "/Package.swift") {
      return typed.contains("debug") ? "swift run seismo" : "swift run -c release seismo"
    }
    return shown(typed)
  }()

  /// The running binary, also after a build has replaced the file it was started from.
  static let executable = "/proc/self/exe"

  /// `path` as a person would type it here.
  static func shown(_ path: String) -> String { ShownPath.text(path) }
}
