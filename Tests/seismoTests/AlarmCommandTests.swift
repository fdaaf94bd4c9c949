import Foundation
import Glibc
import Testing

@testable import Runs
@testable import seismo

/// A person's command, once an alarm.
@Suite(.timeLimit(.minutes(15)))
struct AlarmCommandTests {
  /// A run whose attention logits pass 1e3 within 40 steps, and the lines its command wrote.
  private static func lines(_ arguments: [String], settings: String? = nil) throws -> [Substring] {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("[[at]]\nstep = 5\ncommand = \"set lr.multiplier 1000\"\n".utf8)
      .write(to: binary.folder.appending(path: "run.toml"))
    if let settings {
      try Data(settings.utf8).write(to: binary.folder.appending(path: "config/seismo/config.toml"))
    }
    let fifo = binary.path("fifo")
    try #require(mkfifo(fifo, 0o600) == 0)
    // Open for both, so that neither side waits for the other.
    let descriptor = open(fifo, O_RDWR | O_NONBLOCK)
    defer { close(descriptor) }
    let result = try binary.run(
      [
        "train", "--preset", "tiny", "--config", "run.toml", "--headless", "--json", "--steps",
        "40",
        "--session", "a.seismo",
      ] + arguments)
    let alarms = result.output.split(separator: "\n").filter { $0.contains("\"event\":\"alarm\"") }
    try #require(!alarms.isEmpty)
    var text = ""
    while text.split(separator: "\n").count < alarms.count {
      var waiting = pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
      guard poll(&waiting, 1, 20_000) > 0 else { break }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &bytes, bytes.count)
      text += String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
    return text.split(separator: "\n")
  }

  @Test func `the flag's command runs once an alarm and is told rule, step and session`() throws {
    let lines = try Self.lines([
      "--on-alarm", "echo \"$SEISMO_RULE $SEISMO_STEP ${SEISMO_SESSION##*/}\" > fifo",
    ])
    #expect(lines.contains { $0.hasPrefix("attention-logits-high ") })
    #expect(lines.allSatisfy { $0.hasSuffix(" a.seismo") })
    #expect(Set(lines).count == lines.count)
  }

  @Test func `the person's settings name the command for every run`() throws {
    let lines = try Self.lines([], settings: "on_alarm = 'echo \"$SEISMO_RULE\" > fifo'\n")
    #expect(lines.contains("attention-logits-high"))
  }

  @Test func `settings that are wrong are warnings with their line, and the rest counts`() {
    let path = "config.toml"
    let good = UserConfiguration(text: "on_alarm = \"beep\"\n", path: path)
    #expect(good.onAlarm == "beep" && good.warnings.isEmpty)
    let odd = UserConfiguration(text: "colour = 3\non_alarm = \"beep\"\n", path: path)
    #expect(odd.onAlarm == "beep")
    #expect(odd.warnings == ["config.toml:1: unknown key 'colour': it is left out"])
    let wrong = UserConfiguration(text: "\non_alarm = 3\n", path: path)
    #expect(
      wrong.warnings == ["config.toml:2: on_alarm: give a command for the shell, in quotes"])
    let broken = UserConfiguration(text: "on_alarm = = 3\n", path: path)
    #expect(broken.warnings.count == 1)
    #expect(broken.warnings[0].hasPrefix("config.toml:1: "))
  }
}
