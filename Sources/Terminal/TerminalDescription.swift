import CNcurses
import Foundation
import Screen

extension Capabilities {
  /// What the terminal of this process can do. Sets the locale's characters (LC_CTYPE), which
  /// curses needs before it starts, and the environment: to be called before there are threads.
  ///
  /// `ownDescriptions` is a folder of the user's for descriptions that the system lacks.
  package static func detected(
    devicePath: String = "/dev/tty",
    environment: [String: String] = ProcessInfo.processInfo.environment,
    overrides: Overrides = Overrides(), ownDescriptions: String? = nil
  ) throws(TerminalError) -> Capabilities {
    let name = environment["TERM"] ?? ""
    var descriptions: [String: Description] = [:]
    for name in Set(candidates(environment) + [directName(name)]) {
      descriptions[name] = Description(terminfo: name)
    }
    var traits = Traits(
      environment: environment, isUTF8: setCharacters(environment),
      devicePath: realPath(devicePath), descriptions: descriptions)
    guard let ownDescriptions, let type = traits.typeToDescribe(overrides) else {
      return try Capabilities(traits, overrides: overrides)
    }
    let own = DirectColorDescription(base: type, in: ownDescriptions)
    if own.isMade() {
      own.announce()
      traits.ownDirect = Description(terminfo: own.name).map { (own.name, $0) }
    }
    return try Capabilities(traits, overrides: overrides)
  }

  /// Whether the characters are UTF-8. Where nobody has said anything, C.UTF-8 is tried: without
  /// it, braille prints as blanks.
  private static func setCharacters(_ environment: [String: String]) -> Bool {
    setlocale(LC_CTYPE, "")
    let saidSomething = ["LC_ALL", "LC_CTYPE", "LANG"].contains { name in
      !(environment[name] ?? "").isEmpty
    }
    if !saidSomething { setlocale(LC_CTYPE, "C.UTF-8") }
    guard let codeset = nl_langinfo(Int32(CODESET)) else { return false }
    return String(cString: codeset).uppercased() == "UTF-8"
  }

  /// `/dev/tty` is whichever terminal standard input is.
  private static func realPath(_ path: String) -> String {
    guard path == "/dev/tty", let name = ttyname(STDIN_FILENO) else { return path }
    return String(cString: name)
  }
}

extension Capabilities.Description {
  /// Nil for a name terminfo doesn't have.
  init?(terminfo name: String) {
    var problem: Int32 = 0
    let previous = set_curterm(nil)
    defer { set_curterm(previous) }
    guard setupterm(name, STDOUT_FILENO, &problem) == OK, problem == 1 else { return nil }
    defer { del_curterm(curses_terminal()) }
    self.init(
      colors: Int(tigetnum("colors")),
      hasDirectColor: tigetflag("RGB") == 1 || tigetnum("RGB") > 0 || Self.text("RGB") != nil,
      canMoveCursor: Self.text("cup") != nil, hasMouse: Self.text("kmous") != nil)
  }

  static func text(_ name: String) -> String? {
    // Absent is a null pointer, not a string at all is minus one.
    guard let text = tigetstr(name), Int(bitPattern: text) != -1 else { return nil }
    return String(cString: text)
  }
}
