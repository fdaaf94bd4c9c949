import Foundation
package import TOMLKit

/// Reads TOML as the library does, and refuses first what the library would not survive.
package enum TOMLText {
  /// Why a text is no TOML, and where.
  package struct Flaw: Error {
    /// Nil where the library does not say.
    package let line: Int?
    package let reason: String
  }

  /// Why the file at `path`, which `option` names, gives no text.
  package static func whyUnreadable(_ path: String, option: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "no such file: check \(option)"
    }
    return isFolder.boolValue
      ? "a folder: name a file in it with \(option)" : "cannot be read as UTF-8 text"
  }

  /// `text` as a TOML string in double quotes.
  package static func quoted(_ text: String) -> String {
    var quoted = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": quoted += "\\\\"
      case "\"": quoted += "\\\""
      case "\u{0}"..<" ", "\u{7f}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return "\"\(quoted)\""
  }

  package static func table(_ text: String) throws(Flaw) -> TOMLTable {
    if let line = namelessHeader(in: text) {
      throw Flaw(line: line, reason: "a table's name is letters, digits, _ and -, or in quotes")
    }
    do {
      return try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw Flaw(line: error.source.begin.line, reason: error.description)
    } catch {
      throw Flaw(line: nil, reason: "\(error)")
    }
  }

  /// The first line that begins as a table's header does and goes on with what begins no name:
  /// the library takes for granted that a name comes, and ends the program where none does. The
  /// price: in a text of several lines, or a list of lists, no line may begin so.
  private static func namelessHeader(in text: String) -> Int? {
    let lines = text.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "\n" }
    let index = lines.firstIndex { line in
      var rest = line.drop { isBlank($0) || $0 == "\u{feff}" }
      guard rest.first == "[" else { return false }
      rest = rest.dropFirst().drop(while: isBlank)
      if rest.first == "[" { rest = rest.dropFirst().drop(while: isBlank) }
      return rest.first.map { !beginsName($0) && $0 != "]" } ?? false
    }
    return index.map { $0 + 1 }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t"
  }

  private static func beginsName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "\"", "'": true
    default: false
    }
  }
}
