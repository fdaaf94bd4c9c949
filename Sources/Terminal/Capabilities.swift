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
  package struct Traits: Sendable {
    package var environment: [String: String]
    package var isUTF8: Bool
    /// The file of the terminal, such as `/dev/pts/3`; a virtual console is `/dev/tty1`.
    package var devicePath: String
    /// Descriptions by their names, for TERM and what may stand in for it.
    package var descriptions: [String: Description]
    /// A description of our own that asks for colours by their channels, where one was made.
    package var ownDirect: (name: String, description: Description)?

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
    let wanted = traits.wantedColors(overrides)
    let has = Capabilities.colors(of: description)
    let direct = wanted == .rgb && has != .rgb ? traits.directType : nil
    self.init(
      colors: direct != nil ? .rgb : Capabilities.lesser(wanted ?? has, has),
      symbols: overrides.isASCII || !traits.isUTF8
        ? .ascii : traits.isConsole ? .console : .unicode,
      hasMouse: overrides.hasMouse && description.hasMouse,
      terminalType: direct ?? type)
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

extension Capabilities.Traits {
  var isConsole: Bool {
    if (environment["TERM"] ?? "").hasPrefix("linux") { return true }
    let prefix = "/dev/tty"
    guard devicePath.hasPrefix(prefix) else { return false }
    let number = devicePath.dropFirst(prefix.count)
    return !number.isEmpty && number.allSatisfy(\.isNumber)
  }

  /// Nil where nothing is asked for: then all the terminal has. NO_COLOR counts when it is not
  /// empty (no-color.org).
  func wantedColors(_ overrides: Capabilities.Overrides) -> Capabilities.Colors? {
    if let colors = overrides.colors { return colors }
    if !(environment["NO_COLOR"] ?? "").isEmpty { return Capabilities.Colors.none }
    if isConsole { return .ansi16 }
    return promisesAllColors ? .rgb : nil
  }

  /// What COLORTERM says was said by the terminal around; GNU screen, unlike tmux, keeps the
  /// variable and does not pass such colours on.
  private var promisesAllColors: Bool {
    let isScreen =
      (environment["TERM"] ?? "").hasPrefix("screen") && (environment["TMUX"] ?? "").isEmpty
    return !isScreen && ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
  }

  /// The type that all colours can be asked of: ours says the same as TERM in all else.
  var directType: String? {
    if let ownDirect, ownDirect.description.hasDirectColor { return ownDirect.name }
    let name = Capabilities.directName(environment["TERM"] ?? "")
    return descriptions[name]?.hasDirectColor == true ? name : nil
  }

  /// The type that a description of our own has to be made for; nil where none is needed.
  func typeToDescribe(_ overrides: Capabilities.Overrides) -> String? {
    let type = Capabilities.candidates(environment).first {
      descriptions[$0]?.canMoveCursor == true
    }
    guard wantedColors(overrides) == .rgb, let type, let description = descriptions[type],
      description.colors >= 256, !description.hasDirectColor
    else { return nil }
    return type
  }
}
