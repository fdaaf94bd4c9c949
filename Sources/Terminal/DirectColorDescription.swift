import CNcurses
import Foundation

/// A terminal description of our own: what the system's says, and how to ask for a colour by its
/// red, green and blue.
///
/// COLORTERM says that a terminal shows all colours, but curses goes by terminfo, where hardly any
/// name says so. Escapes sent beside curses would be lost at its next refresh; a description that
/// `tic` compiles into a folder of the user's own is what curses itself draws by. The semicolons are
/// those that xterm, tmux, kitty and foot read, and every other terminal that sets COLORTERM.
struct DirectColorDescription {
  let name: String
  /// Where curses finds it: a folder as terminfo's databases are.
  let folder: String
  private let base: String

  /// `folder` holds all such descriptions; one made for another curses is none for this one.
  init(base: String, in folder: String) {
    self.base = base
    name = base + "+seismo-direct"
    let version = curses_version().map { String(cString: $0) } ?? "curses"
    self.folder = "\(folder)/\(version.replacing(" ", with: "-"))/\(base)"
  }

  private static let channels =
    "8;2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m"

  var source: String {
    """
    \(name)|\(base) with colours by their channels,
    \tRGB, ccc@, colors#0x1000000, pairs#0x10000, initc@, initp@, oc@,
    \tsetaf=\\E[%?%p1%{8}%<%t3%p1%d%e3\(Self.channels),
    \tsetab=\\E[%?%p1%{8}%<%t4%p1%d%e4\(Self.channels),
    \tuse=\(base),

    """
  }

  /// Compiles it unless it is there. It is made aside and renamed, so that none is half written.
  ///
  /// - Returns: False where there is no `tic` or the folder cannot be written.
  func isMade() -> Bool {
    let files = FileManager.default
    guard !files.fileExists(atPath: folder) else { return true }
    let aside = "\(folder).\(getpid())"
    defer { try? files.removeItem(atPath: aside) }
    do {
      try files.createDirectory(atPath: aside, withIntermediateDirectories: true)
      try source.write(toFile: aside + "/source", atomically: false, encoding: .utf8)
      guard try compile(aside + "/source", into: aside) else { return false }
    } catch {
      return false
    }
    // Another process may have been quicker.
    return rename(aside, folder) == 0 || files.fileExists(atPath: folder)
  }

  private func compile(_ source: String, into folder: String) throws -> Bool {
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["tic", "-x", "-o", folder, source]
    compiler.standardInput = FileHandle.nullDevice
    compiler.standardOutput = FileHandle.nullDevice
    compiler.standardError = FileHandle.nullDevice
    try compiler.run()
    compiler.waitUntilExit()
    return compiler.terminationStatus == 0
  }

  /// Lets curses find it. The environment is changed, so before there are threads that read it.
  func announce() {
    let variable = "TERMINFO_DIRS"
    let known = ProcessInfo.processInfo.environment[variable] ?? ""
    guard !known.split(separator: ":").contains(Substring(folder)) else { return }
    // What is empty between colons stands for the system's own folders.
    setenv(variable, folder + ":" + known, 1)
  }
}
