import Foundation

/// Where the keys of a TOML text stand, which the library does not say.
package enum TOMLLines {
  /// The line in which each key stands, a key in a table under `table.key`.
  package static func of(_ text: String) -> [String: Int] {
    var lines: [String: Int] = [:]
    var prefix = ""
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      if trimmed.hasPrefix("["), let end = trimmed.firstIndex(of: "]") {
        prefix = trimmed[trimmed.index(after: trimmed.startIndex)..<end] + "."
      } else if let equals = trimmed.firstIndex(of: "=") {
        let key = trimmed[..<equals].trimmingCharacters(in: .whitespaces)
        lines[prefix + key] = index + 1
      }
    }
    return lines
  }
}
