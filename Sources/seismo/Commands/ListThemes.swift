import ArgumentParser
import Dashboard

struct ListThemes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "themes", abstract: "List the themes of the dashboard.",
    discussion: "Themes are TOML files in themes/ and in the configuration folder of seismo.")

  mutating func run() throws {
    let (themes, flaws) = ThemeFile.all()
    for theme in themes {
      try StandardOutput.print("\(theme.name)  (\(theme.isDark ? "dark" : "light"))")
    }
    for flaw in flaws { Seismo.report("\(flaw)") }
  }
}
