import Foundation
import Sessions
import Telemetry
import Testing

@testable import Runs
@testable import seismo

/// Thresholds from a person's settings and from a `run.toml`, in the real program.
@Suite(.timeLimit(.minutes(15)))
struct AlarmThresholdCommandTests {
  private func alarms(_ output: String) -> [Substring] {
    output.split(separator: "\n").filter { $0.contains("\"event\":\"alarm\"") }
  }

  @Test func `the file wins over the person, and a run that goes on keeps both`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("[alarms]\nattention-logits-high = 2\nloss-spike = 90\n".utf8)
      .write(to: binary.folder.appending(path: "config/seismo/config.toml"))
    try Data("preset = \"tiny\"\n[alarms]\nloss-spike = 30\n".utf8)
      .write(to: binary.folder.appending(path: "run.toml"))
    let arguments = ["train", "--headless", "--json", "--steps"]
    let first = try binary.run(
      arguments + ["20", "--config", "run.toml", "--session", "a.seismo"])
    #expect(first.status == 0)
    #expect(alarms(first.output).contains { $0.contains("attention logits above 2 (L") })

    let records = try SessionReader(path: binary.path("a.seismo")).records()
    let description = records.compactMap { record -> RunDescription? in
      if case .description(let description) = record { description } else { nil }
    }.first
    #expect(description?.options["alarms.attention-logits-high"] == "2")
    #expect(description?.options["alarms.loss-spike"] == "30")

    try Data("[alarms]\nattention-logits-high = \"off\"\n".utf8)
      .write(to: binary.folder.appending(path: "config/seismo/config.toml"))
    let again = try binary.run(
      arguments + ["40", "--resume", "a.checkpoints/step-000000020", "--session", "b.seismo"])
    #expect(again.status == 0)
    let resumed = try SessionReader(path: binary.path("b.seismo")).records()
    #expect(
      resumed.contains { record in
        if case .description(let description) = record {
          description.options["alarms.attention-logits-high"] == "2"
        } else {
          false
        }
      })
    let silent = try binary.run(
      arguments + ["20", "--preset", "tiny", "--session", "c.seismo"])
    #expect(alarms(silent.output).isEmpty)
  }

  @Test func `the list says what is in force, and warns of what is not`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("on_alarm = \"true\"\n[alarms]\ndead-expert = 3\nloss-spike = 9\nx = 1\n".utf8)
      .write(to: binary.folder.appending(path: "config/seismo/config.toml"))
    let result = try binary.run(["alarms"])
    #expect(result.status == 0)
    let path = binary.path("config/seismo/config.toml")
    #expect(
      Set(result.errorLines) == [
        "seismo: \(path):3: alarms.dead-expert: give a number from 0.001 to 0.9, or off",
        "seismo: \(path):5: no alarm 'x': seismo alarms lists them",
      ])
    #expect(
      result.output.contains(
        "loss-spike                  9       The loss is 9 standard deviations above its last"
          + " 1,000 values. (usually 7)\n"))
    #expect(result.output.contains("\ndead-expert                 0.125   An expert gets less"))
  }
}
