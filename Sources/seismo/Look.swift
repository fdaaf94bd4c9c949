import Dashboard
import Foundation
import Screen
import Terminal

/// How the dashboard looks here: the theme asked for, as far as the terminal can show it.
struct Look {
  let appearance: Appearance
  /// What was wrong with theme files, a line each; the screen comes up all the same.
  let warnings: [String]

  /// `theme` is a theme's name, or nil for the dark one.
  init(theme name: String?, depth: ColorDepth, symbols: Symbols) {
    let (themes, flaws) = ThemeFile.all()
    var warnings = flaws.map(\.description)
    let wanted = name ?? "dark"
    let theme = themes.first { $0.name == wanted }
    if theme == nil {
      warnings.append(ThemeFile.Flaw.unknown(name: wanted, known: themes.map(\.name)).description)
    }
    self.warnings = warnings
    appearance = Appearance(
      theme: theme ?? .dark, themes: themes, depth: depth, symbols: symbols)
  }
}

extension Look {
  /// What the terminal can show decides over what the theme would like.
  init(theme name: String?, capabilities: Capabilities) {
    let depth: ColorDepth =
      switch capabilities.colors {
      case .none: .none
      case .ansi16: .ansi16
      case .indexed256: .indexed256
      case .rgb: .rgb
      }
    self.init(theme: name, depth: depth, symbols: capabilities.symbols)
  }
}
