import Formats
import Foundation
import Glibc

/// Judges texts by a check; of a program it keeps one running.
package final class TextJudge {
  private let verdict: (_ prompt: [UInt8], _ text: [UInt8]) throws(TaskError) -> Bool

  /// - Throws: ``TaskError`` where a program cannot be started.
  package init(_ check: TextCheck, language: @autoclosure () -> LanguageJudge) throws(TaskError) {
    switch check {
    case .regex(let pattern):
      let regex = try? Regex(pattern)
      verdict = { _, text in
        regex.map { String(decoding: text, as: UTF8.self).contains($0) } ?? false
      }
    case .exact(let answer):
      let bytes = Array(answer.utf8)
      verdict = { _, text in text.starts(with: bytes) }
    case .command(let command):
      let program = try JudgingProgram(command)
      verdict = { prompt, text throws(TaskError) in try program.number(for: text, after: prompt) > 0
      }
    case .language(let level):
      let judge = language()
      verdict = { prompt, text in judge.passes(text, after: prompt, level: level) }
    }
  }

  /// - Throws: ``TaskError/silent(command:reason:)``.
  package func passes(_ text: [UInt8], after prompt: [UInt8]) throws(TaskError) -> Bool {
    try verdict(prompt, text)
  }
}

/// A program that is given texts, a line of JSON each, and answers with numbers.
final class JudgingProgram {
  private let command: String
  private let process: ChildProcess
  private let input: Int32
  private let output: Int32
  private var pending: [UInt8] = []

  private static let patience: Int32 = 60_000

  init(_ command: String) throws(TaskError) {
    self.command = command
    var (down, up): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard pipe(&down) == 0, pipe(&up) == 0 else {
      throw .silent(command: command, reason: FileSystem.systemWords(errno))
    }
    // The program must not hold its own input open.
    for end in down + up { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { for end in [down[0], up[1]] { close(end) } }
    do {
      process = try ChildProcess(
        ["/bin/sh", "-c", command], input: down[0], output: up[1], leadsGroup: true)
    } catch {
      for end in [down[1], up[0]] { close(end) }
      throw .silent(command: command, reason: "\(error)")
    }
    (input, output) = (down[1], up[0])
  }

  deinit {
    close(input)
    close(output)
    process.send(SIGTERM)
    _ = process.wait()
  }

  /// - Throws: ``TaskError/silent(command:reason:)``.
  func number(for text: [UInt8], after prompt: [UInt8]) throws(TaskError) -> Double {
    let line = JSONLines.object([
      ("prompt", JSONLines.quoted(String(decoding: prompt, as: UTF8.self))),
      ("text", JSONLines.quoted(String(decoding: text, as: UTF8.self))),
    ])
    try send(Array((line + "\n").utf8))
    let answer = try answer()
    guard let number = Double(answer.trimmingCharacters(in: .whitespaces)) else {
      throw .silent(command: command, reason: "it answers '\(answer.prefix(40))'")
    }
    return number
  }

  private func send(_ bytes: [UInt8]) throws(TaskError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Self.write($0, to: input) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .silent(command: command, reason: "it takes no more lines") }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes to a pipe whose reader may be gone, which would end a program that does not ignore it.
  private static func write(_ bytes: UnsafeRawBufferPointer, to pipe: Int32) -> Int {
    var (signals, former) = (sigset_t(), sigset_t())
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, &former)
    let count = Glibc.write(pipe, bytes.baseAddress, bytes.count)
    let reason = errno
    var now = timespec()
    if count < 0, reason == EPIPE { sigtimedwait(&signals, nil, &now) }
    pthread_sigmask(SIG_SETMASK, &former, nil)
    errno = reason
    return count
  }

  private func answer() throws(TaskError) -> String {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeSubrange(...end) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      var place = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let ready = poll(&place, 1, Self.patience)
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else {
        throw .silent(command: command, reason: "no answer within a minute")
      }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .silent(command: command, reason: "it has ended") }
      pending += buffer[..<count]
    }
  }
}
