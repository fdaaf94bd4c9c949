import Foundation

/// What the README tells a reader to type, found by its form: lines that begin with `command`, and
/// blocks of TOML.
enum Recipe {
  /// A line for the shell, the program's name in it.
  case command(String)
  case toml(String)

  static let command = "swift run -c release seismo"

  static var readme: String {
    get throws {
      let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      return try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    }
  }

  /// All of them in their order.
  static var all: [Recipe] {
    get throws {
      var recipes: [Recipe] = []
      var block: [Substring]?
      for line in try readme.split(separator: "\n", omittingEmptySubsequences: false) {
        if let lines = block {
          block = line.hasPrefix("```") ? nil : lines + [line]
          if block == nil { recipes.append(.toml(lines.joined(separator: "\n"))) }
        } else if line.hasPrefix("```") {
          block = line == "```toml" ? [] : nil
        } else {
          recipes += commands(in: line).map { .command($0) }
        }
      }
      return recipes
    }
  }

  /// From the program's name to the end of the line, or of the code in the line.
  private static func commands(in line: Substring) -> [String] {
    line.components(separatedBy: command).dropFirst().map { rest in
      command + rest.prefix { $0 != "`" }
    }
  }
}
