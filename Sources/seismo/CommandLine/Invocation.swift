import Foundation
import Runs

/// How a person who stands in the working directory starts this program again.
enum Invocation {
  /// What was typed to the launcher, `seismo` where it is on the path, `swift run -c release seismo` inside the package, else the
  /// path of the binary.
  static let command: String = {
    let launched = ProcessInfo.processInfo.environment["SEISMO_LAUNCHED_AS"]
    let typed = launched ?? CommandLine.arguments.first ?? "seismo"
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

  /// What an installation has beside its binaries: `share/seismo`, where these are in `lib/seismo`.
  static let installed: String? = {
    let binary = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
    let folder = binary.deletingLastPathComponent()
    guard folder.path.hasSuffix("/lib/seismo") else { return nil }
    return folder.appending(path: "../../share/seismo").standardizedFileURL.path
  }()

  /// `path` as a person would type it here.
  static func shown(_ path: String) -> String { ShownPath.text(path) }
}
