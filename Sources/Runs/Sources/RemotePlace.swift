import Formats

/// A file on another machine, as `scp` names it: `host:PATH`, `user@host:PATH`, `[::1]:PATH`.
package struct RemotePlace: Sendable, Hashable {
  /// What `ssh` is given.
  package let host: String
  /// As the far side has it; what is relative begins in the home folder there.
  package let path: String
  /// As it was typed.
  package let words: String

  /// Nil where `words` name no other machine.
  package init?(_ words: String) {
    guard let colon = Self.colon(in: words) else { return nil }
    var host = String(words[..<colon])
    let path = String(words[words.index(after: colon)...])
    if host.hasSuffix("]") { host.removeAll { $0 == "[" || $0 == "]" } }
    // A host that begins with a dash would be an option of ssh.
    let isFit = host.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0123456789.-_@:%+~".unicodeScalars.contains($0)
    }
    guard isFit, !host.isEmpty, !host.hasPrefix("-"), !path.isEmpty else { return nil }
    self.host = host
    self.path = path.hasPrefix("~/") ? String(path.dropFirst(2)) : path
    self.words = words
  }

  /// The colon behind the host; none where a slash comes before it.
  private static func colon(in words: String) -> String.Index? {
    let start = words.lastIndex(of: "]").flatMap { end in
      words.contains("[") && words[..<end].allSatisfy { $0 != "/" } ? end : nil
    }
    let rest = words[(start ?? words.startIndex)...]
    guard let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") else { return nil }
    return colon
  }

  /// The name of the run: the file's without its ending.
  package var name: String {
    let file = SourceFile.name(of: path)
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return file }
    return String(file[..<dot])
  }
}
