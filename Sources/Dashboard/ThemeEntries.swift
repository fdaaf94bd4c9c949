import Screen
import Telemetry

/// One line of a theme file: `loss = "#56C8D8"`, with the line it stands in.
package struct ThemeEntry: Sendable, Hashable {
  package var key: String
  package var value: String
  package var line: Int

  package init(key: String, value: String, line: Int) {
    self.key = key
    self.value = value
    self.line = line
  }
}

/// Why a theme can't be read. The description is one line.
package enum ThemeError: Error, Hashable, CustomStringConvertible {
  case unknownKey(theme: String, line: Int, key: String, nearest: String?)
  case wrongColor(theme: String, line: Int, key: String, value: String)
  case wrongDepth(theme: String, line: Int, value: String)
  case wrongAttribute(theme: String, line: Int, key: String, value: String)
  case unknownParent(theme: String, line: Int, name: String, known: [String])

  package var description: String {
    switch self {
    case .unknownKey(let theme, let line, let key, let nearest):
      "theme \(theme), line \(line): no role '\(key)'"
        + (nearest.map { ": did you mean '\($0)'?" } ?? ": see themes/dark.toml for all of them")
    case .wrongColor(let theme, let line, let key, let value):
      "theme \(theme), line \(line): '\(value)' is no colour for \(key): "
        + "write \"#RRGGBB\", \"ansi 0\" to \"ansi 15\", or \"\" for the terminal's own"
    case .wrongDepth(let theme, let line, let value):
      "theme \(theme), line \(line): '\(value)' is no number for colors: write 16, or leave it out"
    case .wrongAttribute(let theme, let line, let key, let value):
      "theme \(theme), line \(line): '\(value)' is nothing \(key) can be: "
        + "write words of bold, dim, italic, underline, reverse"
    case .unknownParent(let theme, let line, let name, let known):
      "theme \(theme), line \(line): no theme '\(name)' to inherit from: "
        + "write one of \(known.joined(separator: ", "))"
    }
  }
}

extension Theme {
  /// A theme from the lines of a file, on top of the one it inherits from.
  ///
  /// Keys: `inherits`, `isDark`, `colors` (16, where a theme has no more); a role's name for its
  /// colour, `ROLE.background`, `ROLE.attributes`; `paper`, `ink`; `logitsGradient.low`, `.middle`,
  /// `.high`, and the same of `expertsGradient`.
  /// - Throws: ``ThemeError`` for the first line that can't be understood.
  package init(
    name: String, entries: [ThemeEntry], known: [Theme] = Theme.builtIn
  ) throws(ThemeError) {
    self = .dark
    if let entry = entries.first(where: { $0.key == "inherits" }) {
      guard let parent = known.first(where: { $0.name == entry.value }) else {
        throw .unknownParent(
          theme: name, line: entry.line, name: entry.value, known: known.map(\.name))
      }
      self = parent
    }
    self.name = name
    for entry in entries where entry.key != "inherits" { try take(entry) }
  }

  private mutating func take(_ entry: ThemeEntry) throws(ThemeError) {
    let parts = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("isDark", 1): isDark = entry.value == "true"
    case ("colors", 1): try setDepth(entry)
    case ("paper", 1): paper = try color(entry) ?? paper
    case ("ink", 1): ink = try color(entry) ?? ink
    case ("logitsGradient", 2): try set(\.logitsGradient, stop: parts[1], entry)
    case ("expertsGradient", 2): try set(\.expertsGradient, stop: parts[1], entry)
    default: try takeRole(parts, entry)
    }
  }

  private mutating func takeRole(_ parts: [String], _ entry: ThemeEntry) throws(ThemeError) {
    guard let role = Role(name: parts[0]), parts.count <= 2 else { throw unknown(entry) }
    switch parts.count == 1 ? "foreground" : parts[1] {
    case "foreground" where role == .background:
      looks[role, default: Look()].background = try color(entry)
    case "foreground": looks[role, default: Look()].foreground = try color(entry)
    case "background": looks[role, default: Look()].background = try color(entry)
    case "attributes": looks[role, default: Look()].attributes = try attributes(entry)
    default: throw unknown(entry)
    }
  }

  private mutating func set(
    _ gradient: WritableKeyPath<Theme, Gradient>, stop: String, _ entry: ThemeEntry
  ) throws(ThemeError) {
    guard let color = try color(entry) else {
      throw .wrongColor(theme: name, line: entry.line, key: entry.key, value: entry.value)
    }
    switch stop {
    case "low": self[keyPath: gradient].low = color
    case "middle": self[keyPath: gradient].middle = color
    case "high": self[keyPath: gradient].high = color
    default: throw unknown(entry)
    }
  }

  private func color(_ entry: ThemeEntry) throws(ThemeError) -> Color? {
    guard !entry.value.isEmpty else { return nil }
    guard let color = Color(hex: entry.value) ?? Color(numbered: entry.value) else {
      throw .wrongColor(theme: name, line: entry.line, key: entry.key, value: entry.value)
    }
    return color
  }

  private mutating func setDepth(_ entry: ThemeEntry) throws(ThemeError) {
    guard entry.value == "16" else {
      throw .wrongDepth(theme: name, line: entry.line, value: entry.value)
    }
    depth = .ansi16
  }

  private func attributes(_ entry: ThemeEntry) throws(ThemeError) -> Attributes {
    let known: [String: Attributes] = [
      "bold": .bold, "dim": .dim, "italic": .italic, "underline": .underline, "reverse": .reverse,
    ]
    var attributes: Attributes = []
    for word in entry.value.split(separator: " ") {
      guard let attribute = known[String(word)] else {
        throw .wrongAttribute(theme: name, line: entry.line, key: entry.key, value: entry.value)
      }
      attributes.formUnion(attribute)
    }
    return attributes
  }

  private func unknown(_ entry: ThemeEntry) -> ThemeError {
    let names =
      Role.allCases.map(\.name) + [
        "inherits", "isDark", "colors", "paper", "ink", "logitsGradient.low",
        "logitsGradient.middle",
        "logitsGradient.high", "expertsGradient.low", "expertsGradient.middle",
        "expertsGradient.high",
      ]
    return .unknownKey(
      theme: name, line: entry.line, key: entry.key, nearest: entry.key.nearest(among: names))
  }
}

extension Color {
  /// One of the terminal's sixteen, written `ansi 9`.
  fileprivate init?(numbered words: String) {
    let parts = words.split(separator: " ")
    guard parts.count == 2, parts[0] == "ansi", let number = UInt8(parts[1]), number < 16 else {
      return nil
    }
    self = .ansi(number)
  }

  /// The colour as a theme's file writes it.
  var fileWord: String {
    if case .indexed(let number) = kind, number < 16 { return "ansi \(number)" }
    return hex ?? ""
  }
}
