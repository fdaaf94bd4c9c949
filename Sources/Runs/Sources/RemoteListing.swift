import Foundation
import Sessions
import Telemetry

/// The sessions in a folder of another machine, over the system's `ssh`.
package struct RemoteListing {
  package enum Found: Sendable, Equatable {
    /// As `seismo sessions` prints it there.
    case listed(lines: [String])
    /// What can be known of the files where there is no `seismo`.
    case files([File])
  }

  package struct File: Sendable, Equatable {
    package let name: String
    package let bytes: Int
    /// Seconds since 1970.
    package let changed: Double
    /// Whether somebody writes it: then the file has a log beside it.
    package let isWritten: Bool
  }

  /// No folder has more to say.
  private static let mostBytes = 1 << 24
  private static let sign = "seismo-sessions-1"

  /// Asks for the sessions; `options` are those of `seismo sessions`. Waits as long as `ssh` does.
  /// - Throws: ``RunError/farAway(place:reason:)``.
  package static func read(
    _ place: RemotePlace, options: [String], program: String = "ssh"
  ) throws(RunError) -> Found {
    let words = ([place.path] + options).map { ShellWord.inQuotes($0) }.joined(separator: " ")
    let shell = try SecureShell(
      place, command: "exec sh -c \(ShellWord.inQuotes(script)) seismo \(words)",
      program: program, isInteractive: true)
    var output: [UInt8] = []
    var end: ChildProcess.End?
    while end == nil, output.count < mostBytes {
      while let bytes = shell.wire.next() { output += bytes }
      end = shell.end()
      if end == nil { shell.wire.wait(milliseconds: 200) }
    }
    guard end?.code == 0, let found = found(in: String(decoding: output, as: UTF8.self)) else {
      let reason = shell.lastWords ?? "the connection has ended (\(end?.code ?? 0))"
      throw .farAway(place: place.words, reason: reason)
    }
    return found
  }

  /// What a far shell says of its own accord comes before the sign.
  static func found(in output: String) -> Found? {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasPrefix(sign) }) else { return nil }
    var told = lines[(start + 1)...].map { SecureShell.harmless($0) }
    if told.last == "" { told.removeLast() }
    guard lines[start] == "\(sign) files" else { return .listed(lines: told) }
    return .files(told.compactMap(file))
  }

  private static func file(_ line: String) -> File? {
    let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
    guard parts.count == 4, let bytes = Int(parts[0]), let changed = Double(parts[1]) else {
      return nil
    }
    return File(name: parts[3], bytes: bytes, changed: changed, isWritten: parts[2] == "1")
  }

  /// One line without single quotes, as ``RelayScript`` is.
  private static let script = [
    #"d=$1; shift; case "$d" in -*) d=./$d ;; esac"#,
    #"if [ ! -d "$d" ]; then echo "seismo: $d: no such folder" >&2; exit 66; fi"#,
    #"if command -v seismo >/dev/null 2>&1; then echo \#(sign) listed; exec seismo sessions "$@" "$d"; fi"#,
    #"if [ $# -gt 0 ]; then echo "seismo: $1: there is no seismo on that machine to do that" >&2; exit 64; fi"#,
    #"echo \#(sign) files; for f in "$d"/*.seismo; do if [ -f "$f" ]; then"#
      + #" w=0; if [ -s "$f-wal" ]; then w=1; fi"#,
    #"t=$(stat -c %Y "$f" 2>/dev/null || stat -f %m "$f" 2>/dev/null || echo 0)"#,
    #"printf "%s %s %s %s\n" "$(($(wc -c <"$f")))" "$t" "$w" "${f##*/}""#,
    #"fi; done"#,
  ].joined(separator: "; ")
}
