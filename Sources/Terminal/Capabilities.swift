package import Screen

/// What a terminal can do, decided once from what is known about it.
package struct Capabilities: Hashable, Sendable {
  package enum Colors: String, Hashable, Sendable, CaseIterable {
    case none, ansi16, indexed256, rgb
  }

  package var colors: Colors
  package var symbols: Symbols
  package var hasMouse: Bool
  /// The terminal description curses is given. It is not always what TERM says: only the `-direct`
  /// descriptions know how to ask for a colour by its channels.
  package var terminalType: String

  package init(
    colors: Colors, symbols: Symbols = .unicode, hasMouse: Bool = true, terminalType: String
  ) {
    self.colors = colors
    self.symbols = symbols
    self.hasMouse = hasMouse
    self.terminalType = terminalType
  }

  /// What a person asks for, whatever the terminal says.
  package struct Overrides: Hashable, Sendable {
    package var colors: Colors?
    package var isASCII: Bool
    package var hasMouse: Bool

    package init(colors: Colors? = nil, isASCII: Bool = false, hasMouse: Bool = true) {
      self.colors = colors
      self.isASCII = isASCII
      self.hasMouse = hasMouse
    }
  }

  /// What is known about a terminal.
  package struct Traits: Hashable, Sendable {
    package var environment: [String: String]
    package var isUTF8: Bool
    /// The file of the terminal, such as `/dev/pts/3`; a virtual console is `/dev/tty1`.
    package var devicePath: String
    /// Descriptions by their names, for TERM and what may stand in for it.
    package var descriptions: [String: Description]

    package init(
      environment: [String: String], isUTF8: Bool, devicePath: String,
      descriptions: [String: Description]
    ) {
      self.environment = environment
      self.isUTF8 = isUTF8
      self.devicePath = devicePath
      self.descriptions = descriptions
    }
  }

  /// What matters here of a terminfo entry.
  package struct Description: Hashable, Sendable {
    package var colors: Int
    package var hasDirectColor: Bool
    package var canMoveCursor: Bool
    package var hasMouse: Bool

    package init(
      colors: Int, hasDirectColor: Bool = false, canMoveCursor: Bool = true, hasMouse: Bool = true
    ) {
      self.colors = colors
      self.hasDirectColor = hasDirectColor
      self.canMoveCursor = canMoveCursor
      self.hasMouse = hasMouse
    }
  }

  package init(_ traits: Traits, overrides: Overrides = Overrides()) throws(TerminalError) {
    let name = traits.environment["TERM"] ?? ""
    guard
      let type = Capabilities.candidates(traits.environment).first(where: { candidate in
        traits.descriptions[candidate]?.canMoveCursor == true
      }), let description = traits.descriptions[type]
    else {
      throw .unusable(terminalType: name)
    }
    let isConsole = name.hasPrefix("linux") || Capabilities.isConsole(traits.devicePath)
    let wanted = overrides.colors ?? Capabilities.wantedColors(traits, isConsole: isConsole)
    let direct = Capabilities.directName(name)
    let canDirect = traits.descriptions[direct]?.hasDirectColor == true
    let has = Capabilities.colors(of: description)
    let colors: Colors
    if wanted == .rgb {
      colors = description.hasDirectColor || canDirect ? .rgb : has
    } else {
      colors = Capabilities.lesser(wanted ?? has, has)
    }
    let usesDirect = colors == .rgb && !description.hasDirectColor
    self.init(
      colors: colors,
      symbols: overrides.isASCII || !traits.isUTF8 ? .ascii : isConsole ? .console : .unicode,
      hasMouse: overrides.hasMouse && description.hasMouse,
      terminalType: usesDirect ? direct : type)
  }

  /// TERM, and for a name nobody knows what most terminals understand.
  static func candidates(_ environment: [String: String]) -> [String] {
    let name = environment["TERM"] ?? ""
    guard !name.isEmpty, name != "dumb", name != "unknown" else { return [] }
    let isModern = name.hasSuffix("256color") || !(environment["COLORTERM"] ?? "").isEmpty
    return [name, isModern ? "xterm-256color" : "xterm", "xterm", "vt100"]
  }

  /// `xterm-256color` speaks the language of `xterm-direct`.
  static func directName(_ name: String) -> String {
    let suffix = "-256color"
    let base = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
    return base + "-direct"
  }

  private static func isConsole(_ path: String) -> Bool {
    let prefix = "/dev/tty"
    guard path.hasPrefix(prefix) else { return false }
    let number = path.dropFirst(prefix.count)
    return !number.isEmpty && number.allSatisfy(\.isNumber)
  }

  /// Nil where nothing is asked for: then all the terminal has. NO_COLOR counts when it is not
  /// empty (no-color.org).
  private static func wantedColors(_ traits: Traits, isConsole: Bool) -> Colors? {
    if !(traits.environment["NO_COLOR"] ?? "").isEmpty { return Colors.none }
    if isConsole { return .ansi16 }
    let promised = traits.environment["COLORTERM"] ?? ""
    return promised == "truecolor" || promised == "24bit" ? .rgb : nil
  }

  private static func colors(of description: Description) -> Colors {
    if description.hasDirectColor { return .rgb }
    switch description.colors {
    case 256...: return .indexed256
    case 8...: return .ansi16
    default: return Colors.none
    }
  }

  private static func lesser(_ left: Colors, _ right: Colors) -> Colors {
    let order = Colors.allCases
    let index = min(order.firstIndex(of: left) ?? 0, order.firstIndex(of: right) ?? 0)
    return order[index]
  }
}
