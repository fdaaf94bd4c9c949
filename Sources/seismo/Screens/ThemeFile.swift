import Dashboard
import Foundation
import Runs
import TOMLKit

/// The themes there are: built in, beside the program, and the person's own.
struct ThemeFile {
  /// Why a theme file cannot be used. The description is one line.
  enum Flaw: Error, CustomStringConvertible {
    case unreadable(path: String)
    case syntax(path: String, line: Int, reason: String)
    case wrong(path: String, ThemeError)
    case unknown(name: String, known: [String])

    /// The name of the theme that has it; nil for one that is not there.
    var name: String? {
      switch self {
      case .unreadable(let path), .syntax(let path, _, _), .wrong(let path, _):
        ThemeFile(path: path).name
      case .unknown: nil
      }
    }

    var description: String {
      switch self {
      case .unreadable(let path):
        "\(path): \(TOMLText.whyUnreadable(path, option: "--theme"))"
      case .syntax(let path, let line, let reason): "\(path):\(line): \(reason)"
      case .wrong(let path, let error): "\(path): \(error)"
      case .unknown(let name, let known):
        "no theme '\(name)': choose one of \(known.joined(separator: ", "))"
      }
    }
  }

  let path: String

  var name: String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }

  func theme() throws(Flaw) -> Theme {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .unreadable(path: path)
    }
    return try Self.theme(name: name, text: text, path: path)
  }

  static func theme(name: String, text: String, path: String) throws(Flaw) -> Theme {
    let table: TOMLTable
    do {
      table = try TOMLText.table(text)
    } catch {
      guard let line = error.line else { throw .unreadable(path: path) }
      throw .syntax(path: path, line: line, reason: error.reason)
    }
    do {
      return try Theme(name: name, entries: entries(table, lines: TOMLLines.of(text)))
    } catch {
      throw .wrong(path: path, error)
    }
  }

  private static func entries(
    _ table: TOMLTable, prefix: String = "", lines: [String: Int]
  ) -> [ThemeEntry] {
    table.flatMap { key, value -> [ThemeEntry] in
      let path = prefix + key
      if let nested = value.table { return entries(nested, prefix: path + ".", lines: lines) }
      let words = value.string ?? value.bool.map { "\($0)" } ?? value.debugDescription
      return [ThemeEntry(key: path, value: words, line: lines[path] ?? 1)]
    }.sorted { $0.line < $1.line }
  }
}

extension ThemeFile {
  /// The folders in which themes lie; a later one wins.
  static var folders: [String] {
    let installed = Invocation.installed.map { [$0 + "/themes"] } ?? []
    return installed + ["themes", UserConfiguration.folder + "/themes"]
  }

  /// Every theme that can be used, and what is wrong with the files that cannot.
  static func all() -> (themes: [Theme], flaws: [Flaw]) {
    var themes = Theme.builtIn
    var flaws: [Flaw] = []
    for folder in folders {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      for name in names.sorted() where name.hasSuffix(".toml") {
        do throws(Flaw) {
          let theme = try ThemeFile(path: folder + "/" + name).theme()
          themes.removeAll { $0.name == theme.name }
          themes.append(theme)
        } catch {
          flaws.append(error)
        }
      }
    }
    return (themes, flaws)
  }
}
