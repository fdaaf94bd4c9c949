import Dashboard
import Foundation
import Screen

/// How the dashboard looks here: the theme asked for, as far as the terminal can show it.
struct Look {
  let appearance: Appearance
  /// What was wrong with theme files, a line each; the screen comes up all the same.
  let warnings: [String]

  /// - Parameter theme: a theme's name, or nil for the dark one.
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
