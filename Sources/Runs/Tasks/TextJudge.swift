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

/// A program that is given texts, a line of JSON each, and answers with numbers. What it says on its
/// standard error is kept from the screen; the last line is told where it fails.
final class JudgingProgram {
  private let command: String
  private let process: ChildProcess
  private let input: Int32
  private let output: Int32
  /// Negative once nothing more can come.
  private var errors: Int32
  private var pending: [UInt8] = []
  /// The end of what it said on its standard error.
  private var remarks: [UInt8] = []

  private static let patience: Int32 = 60_000
  /// Milliseconds after which it is seen that nobody waits any more.
  private static let attention = 100.0

  init(_ command: String) throws(TaskError) {
    self.command = command
    var (down, up, aside): ([Int32], [Int32], [Int32]) = ([0, 0], [0, 0], [0, 0])
    guard pipe(&down) == 0, pipe(&up) == 0, pipe(&aside) == 0 else {
      throw .silent(command: command, reason: FileSystem.systemWords(errno))
    }
    // The program must not hold its own input open.
    for end in down + up + aside { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { for end in [down[0], up[1], aside[1]] { close(end) } }
    do {
      process = try ChildProcess(
        ["/bin/sh", "-c", command], input: down[0], output: up[1], errors: aside[1],
        leadsGroup: true)
    } catch {
      for end in [down[1], up[0], aside[0]] { close(end) }
      throw .silent(command: command, reason: "\(error)")
    }
    (input, output, errors) = (down[1], up[0], aside[0])
    // A program that waits for room on its standard error takes no lines before that is read.
    for end in [input, errors] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  deinit {
    close(input)
    close(output)
    if errors >= 0 { close(errors) }
    process.send(SIGTERM)
    // One that holds on to its life must not hold this one up.
    if ending(within: 1000) == nil { process.send(SIGKILL) }
    _ = process.wait()
  }

  /// - Throws: ``TaskError/silent(command:reason:)``, also once `isWanted` says that nobody waits for
  ///   the answer any more: what it is asked next would be given this one's.
  func number(
    for text: [UInt8], after prompt: [UInt8], isWanted: @Sendable () -> Bool = { true }
  ) throws(TaskError) -> Double {
    let line = JSONLines.object([
      ("prompt", JSONLines.quoted(String(decoding: prompt, as: UTF8.self))),
      ("text", JSONLines.quoted(String(decoding: text, as: UTF8.self))),
    ])
    try checkSilence()
    try send(Array((line + "\n").utf8), isWanted)
    let answer = try answer(isWanted)
    try checkSilence()
    guard let number = Double(answer.trimmingCharacters(in: .whitespaces)) else {
      throw .silent(command: command, reason: "it answers '\(answer.prefix(40))'")
    }
    return number
  }

  private func send(_ bytes: [UInt8], _ isWanted: @Sendable () -> Bool) throws(TaskError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Self.write($0, to: input) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        try wait(
          for: input, Int16(POLLOUT), isWanted, or: "it has taken no line for a minute")
        continue
      }
      guard count > 0 else { throw silence(ending(or: "it takes no more lines")) }
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

  private func answer(_ isWanted: @Sendable () -> Bool) throws(TaskError) -> String {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeSubrange(...end) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      try wait(
        for: output, Int16(POLLIN), isWanted,
        or: "no answer within a minute: it has to flush each line")
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw silence(ending(or: "it has closed its output")) }
      pending += buffer[..<count]
    }
  }

  /// A second line would be taken for the next text's answer.
  private func checkSilence() throws(TaskError) {
    var place = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    let saysMore = poll(&place, 1, 0) > 0 && place.revents & Int16(POLLIN) != 0
    guard !pending.isEmpty || saysMore else { return }
    throw silence("it answers more than a line for a text")
  }

  /// Waits until a pipe is ready, and reads meanwhile what is said aside.
  private func wait(
    for pipe: Int32, _ events: Int16, _ isWanted: @Sendable () -> Bool, or reason: String
  ) throws(TaskError) {
    let end = ContinuousClock.now + .milliseconds(Self.patience)
    while true {
      var places = [
        pollfd(fd: pipe, events: events, revents: 0),
        pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
      ]
      let left = (end - .now) / .milliseconds(1)
      let ready = poll(&places, 2, Int32(min(max(0, left), Self.attention)))
      if ready < 0, errno == EINTR { continue }
      if ready > 0, places[1].revents != 0 { readRemarks() }
      if ready > 0, places[0].revents != 0 { return }
      guard left > 0, ready >= 0 else { throw silence(reason) }
      guard isWanted() else { throw silence("nobody waits for its answer any more") }
    }
  }

  private func readRemarks() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while errors >= 0 {
      let count = read(errors, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return }
      guard count > 0 else {
        close(errors)
        errors = -1
        return
      }
      remarks = (remarks + buffer[..<count]).suffix(buffer.count)
    }
  }

  private func silence(_ reason: String) -> TaskError {
    readRemarks()
    let last = String(decoding: remarks, as: UTF8.self).split(whereSeparator: \.isNewline).last {
      !$0.allSatisfy(\.isWhitespace)
    }
    return .silent(
      command: command, reason: reason + (last.map { " ('\($0.prefix(120))')" } ?? ""))
  }

  /// Whether it ends within a time, and how.
  func ending(within milliseconds: Int) -> String? {
    for _ in 0...milliseconds / 5 {
      switch process.poll() {
      case .exited(let code): return "it ended with code \(code)"
      case .signalled(let number): return "it was ended by signal \(number)"
      case nil: usleep(5000)
      }
    }
    return nil
  }

  /// - Throws: ``TaskError/silent(command:reason:)`` for a program that ends before it is asked.
  func checkBeginning() throws(TaskError) {
    if let ending = ending(within: 100) { throw silence(ending) }
  }

  /// A program's pipes are closed a little before it has ended.
  private func ending(or reason: String) -> String { ending(within: 1000) ?? reason }
}
