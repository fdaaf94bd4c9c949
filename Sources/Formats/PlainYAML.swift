import Foundation

/// The settings in a file of YAML as trainers write it: keys with values, nested by indentation, and
/// lists of plain values. What is beyond that is left out.
enum PlainYAML {
  /// The values by their keys, nested ones joined by `.`, lists by commas.
  static func options(_ text: String) -> [String: String] {
    var options: [String: String] = [:]
    var open: [(indent: Int, key: String)] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let indent = line.prefix { $0 == " " }.count
      let words = withoutComment(line.dropFirst(indent))
      guard !words.isEmpty, words != "---", words != "..." else { continue }
      // An item may stand as far in as the key of its list.
      let isItem = words == "-" || words.hasPrefix("- ")
      while let last = open.last, last.indent > indent || (last.indent == indent && !isItem) {
        open.removeLast()
      }
      let path = open.map(\.key).joined(separator: ".")
      if isItem {
        let item = plain(words.dropFirst())
        guard !path.isEmpty, !item.isEmpty else { continue }
        options[path] = options[path].map { "\($0),\(item)" } ?? item
      } else if let (key, value) = pair(words) {
        let name = path.isEmpty ? key : "\(path).\(key)"
        if value.isEmpty || value.hasPrefix("!!") || value == "|" || value == ">" {
          open.append((indent, key))
        } else {
          options[name] = value
        }
      }
      if options.count > mostOptions { break }
    }
    return options
  }

  /// No run has more settings.
  private static let mostOptions = 10_000

  private static func pair(_ words: Substring) -> (key: String, value: String)? {
    guard
      let colon = words.firstRange(of: ": ")?.lowerBound
        ?? words.last.flatMap({ last in
          last == ":" ? words.index(before: words.endIndex) : nil
        })
    else { return nil }
    let key = plain(words[..<colon])
    guard !key.isEmpty, key.utf8.count <= 256 else { return nil }
    return (key, plain(words[words.index(after: colon)...]))
  }

  /// Without blanks and quotes around it.
  private static func plain(_ words: Substring) -> String {
    let trimmed = words.trimmingCharacters(in: .whitespaces)
    guard trimmed.count > 1, let first = trimmed.first, first == trimmed.last,
      first == "'" || first == "\""
    else { return trimmed }
    return String(trimmed.dropFirst().dropLast())
  }

  private static func withoutComment(_ words: Substring) -> Substring {
    guard words.first != "#" else { return "" }
    guard let hash = words.firstRange(of: " #"), !words[..<hash.lowerBound].contains("\""),
      !words[..<hash.lowerBound].contains("'")
    else { return words }
    return words[..<hash.lowerBound]
  }
}
