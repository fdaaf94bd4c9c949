import Foundation
import Glibc
import Sessions

/// One `ssh` that does something on another machine: what it prints and is told goes over the wire,
/// what it complains of is kept.
final class SecureShell {
  let wire: ControlWire
  private let process: ChildProcess
  private let errors: ControlWire
  private var said: [UInt8] = []

  private static let options = [
    "-T", "-e", "none", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=5", "-o",
    "ServerAliveCountMax=3",
  ]

  /// `program` is the `ssh` to use; one that is not interactive asks for no password.
  /// - Throws: ``RunError/farAway(place:reason:)``.
  init(
    _ place: RemotePlace, command: String, program: String, isInteractive: Bool
  ) throws(RunError) {
    let ends: (wire: ControlWire, other: CInt)
    let complaints: (wire: ControlWire, other: CInt)
    do throws(ControlWire.Flaw) {
      ends = try ControlWire.pair()
      complaints = try ControlWire.pair()
    } catch {
      throw .farAway(place: place.words, reason: error.description)
    }
    defer { for descriptor in [ends.other, complaints.other] { Glibc.close(descriptor) } }
    let batch = isInteractive ? [] : ["-o", "BatchMode=yes"]
    process = try ChildProcess(
      [program] + Self.options + batch + ["--", place.host, command], input: ends.other,
      output: ends.other, errors: complaints.other)
    (wire, errors) = (ends.wire, complaints.wire)
  }

  deinit { close() }

  /// How it ended, once all that it has brought is read.
  func end() -> ChildProcess.End? {
    listen()
    guard let end = process.poll(), wire.isClosed else { return nil }
    listen()
    return end
  }

  private func listen() {
    while let bytes = errors.next() { said = Array((said + bytes).suffix(4096)) }
  }

  /// The last line that was said on standard error, without what could steer a terminal.
  var lastWords: String? {
    let lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
    let line = lines.last { !$0.allSatisfy(\.isWhitespace) }
    return line.map { line in
      let words = String(Self.harmless(line).trimmingPrefix("seismo: ").prefix(300))
      return words.hasSuffix(".") ? String(words.dropLast()) : words
    }
  }

  /// Another machine's words without what could steer a terminal.
  static func harmless(_ text: some StringProtocol) -> String {
    let plain = text.unicodeScalars.filter {
      $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
    }
    return String(String.UnicodeScalarView(plain))
  }

  func close() {
    process.send(SIGTERM)
    if process.poll() == nil { _ = process.wait() }
  }
}
