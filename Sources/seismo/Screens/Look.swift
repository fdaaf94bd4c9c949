import Dashboard
import Foundation
import Screen
import Terminal

/// How the dashboard looks here: the theme asked for, as far as the terminal can show it.
struct Look {
  let appearance: Appearance
  /// What was wrong with theme files, a line each; the screen comes up all the same.
  let warnings: [String]

  /// `theme` is the name or the file of a theme, or nil for the dark one. A flaw in the one that
  /// was asked for is an error; one in another is a warning.
  /// - Throws: ``ThemeFile/Flaw``.
  init(theme name: String?, depth: ColorDepth, symbols: Symbols) throws(ThemeFile.Flaw) {
    let (themes, flaws) = ThemeFile.all()
    let theme = try name.map { name throws(ThemeFile.Flaw) in
      try Self.theme(name, themes: themes, flaws: flaws)
    }
    warnings = flaws.map(\.description)
    appearance = Appearance(
      theme: theme ?? .dark, themes: themes, depth: depth, symbols: symbols)
  }

  /// - Throws: ``ThemeFile/Flaw`` where there is no such theme, or it cannot be used.
  static func check(theme: String) throws(ThemeFile.Flaw) {
    _ = try Look(theme: theme, depth: .none, symbols: .ascii)
  }

  private static func theme(
    _ name: String, themes: [Theme], flaws: [ThemeFile.Flaw]
  ) throws(ThemeFile.Flaw) -> Theme {
    if name.hasSuffix(".toml") { return try ThemeFile(path: name).theme() }
    if let flaw = flaws.first(where: { $0.name == name }) { throw flaw }
    guard let theme = themes.first(where: { $0.name == name }) else {
      throw .unknown(name: name, known: themes.map(\.name))
    }
    return theme
  }
}

extension Look {
  /// What the terminal can show decides over what the theme would like.
  /// - Throws: ``ThemeFile/Flaw``.
  init(theme name: String?, capabilities: Capabilities) throws(ThemeFile.Flaw) {
    let depth: ColorDepth =
      switch capabilities.colors {
      case .none: .none
      case .ansi16: .ansi16
      case .indexed256: .indexed256
      case .rgb: .rgb
      }
    try self.init(theme: name, depth: depth, symbols: capabilities.symbols)
  }
}
