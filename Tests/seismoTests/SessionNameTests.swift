import Foundation
import Testing

/// Names that `sessions` prints, through the real program.
@Suite(.timeLimit(.minutes(15))) struct SessionNameTests {
  private static let base = ["--headless", "--workers", "1"]

  /// A run of 30 steps, resumed from step 10 as one of 20.
  private func resumed() throws -> SeismoBinary {
    let binary = try SeismoBinary()
    let first = try binary.run(
      ["train", "--preset", "tiny", "--steps", "30", "--checkpoint-every", "10", "--eval-every"]
        + ["10", "--session", "sessions/run.seismo"] + Self.base)
    #expect(first.status == 0, "\(first.error)")
    #expect(first.errorLines.isEmpty)
    let second = try binary.run(
      ["train", "--resume", "sessions/run.checkpoints/step-000000010", "--steps", "20", "--z-loss"]
        + ["1e-4"] + Self.base)
    #expect(second.status == 0, "\(second.error)")
    #expect(
      second.errorLines == [
        "seismo: sessions/run.seismo has 30 steps: going on from step 10 leaves 20 of them as line"
          + " run@1; --branch NAME goes on in a session of its own"
      ])
    return binary
  }

  @Test func `every command takes the names of the list, lines too`() throws {
    let binary = try resumed()
    defer { binary.remove() }
    let list = try binary.run(["sessions"]).output.split(separator: "\n")
    #expect(list.count == 3)
    #expect(list[1].hasPrefix("run      20") && list[1].hasSuffix("finished, one abandoned"))
    #expect(list[2].hasPrefix("  run@1  30") && list[2].hasSuffix("abandoned at step 10"))
    func output(_ words: String) throws -> String {
      let result = try binary.run(words.split(separator: " ").map(String.init))
      #expect(result.status == 0, "\(words): \(result.error)")
      return result.output
    }
    let csv = "--format csv --metric loss/eval"
    func steps(_ table: String) -> [String] {
      table.split(separator: "\n").dropFirst().map { $0.prefix { $0 != "," } }.map(String.init)
    }
    #expect(try steps(output("export run \(csv)")) == ["0", "10", "20"])
    #expect(try steps(output("export run@1 \(csv)")) == ["0", "10", "20", "30"])
    #expect(try output("export run --line 1 \(csv)") == output("export run@1 \(csv)"))
    let all = try output("export run --all-lines \(csv)").split(separator: "\n")
    #expect(all.count == 8 && all[0] == "run,step,wall_time,loss/eval")
    #expect(all[1].hasPrefix("run,0,") && all[7].hasPrefix("run@1,30,"))
    #expect(try output("compare run run@1").contains(/steps +20\/20 +30\/30/))
    #expect(try output("reproduce run@1").contains("over 30 steps compared: all equal"))
    #expect(try output("reproduce run").contains("over 20 steps compared: all equal"))
    #expect(try output("replay run --text --overlay run@1").contains("step 20/20"))
    #expect(try output("replay run@1 --text").contains("step 30/30"))
    #expect(try output("sessions note run well").contains("at step 20"))
    #expect(try output("sessions restore run@1").contains("with 30 steps"))
    #expect(try output("replay run --text").contains("step 30/30"))
    #expect(try output("sessions rename run other").contains("sessions/other.seismo now"))
    #expect(try output("sessions delete other --yes").contains("removed"))
  }

  @Test func `a step beyond the run's end is shown of the line that reached it`() throws {
    let binary = try resumed()
    defer { binary.remove() }
    let shown = try binary.run(["replay", "run", "--at", "25", "--text"])
    #expect(shown.output.contains("run@1") && shown.output.contains("step 25/30"))
    #expect(
      shown.errorLines == [
        "seismo: step 25 lies beyond the 20 steps of run: this is run@1, abandoned at step 10"
      ])
  }

  @Test(arguments: [
    (["replay", "rum", "--text"], 65, "did you mean run?"),
    (["compare", "run", "rum"], 65, "did you mean run?"), (["export", "rum"], 64, "--format"),
    (["reproduce", "run@7"], 65, "has no line 7"), (["control", "rum", "pause"], 65, "mean run?"),
    (["sessions", "delete", "run@1", "--yes"], 64, "leave @1 out"),
    (["sessions", "restore", "run"], 64, "give a line too, such as run@1"),
    (["export", "run@1", "--line", "2", "--format", "csv"], 64, "give one of them"),
    (["export", "run", "--all-lines", "--format", "json"], 64, "--all-lines"),
    (["train", "--branch", "b", "--headless"], 64, "it goes with --resume"),
  ])
  func `what is named wrongly is told in one line`(
    arguments: [String], status: Int32, text: String
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let train = ["train", "--preset", "tiny", "--steps", "2", "--session", "sessions/run.seismo"]
    #expect(try binary.run(train + Self.base).status == 0)
    let result = try binary.run(arguments)
    #expect(result.status == status, "\(result.error)")
    #expect(result.errorLines.count == 1 && result.error.contains(text), "\(result.error)")
  }

  @Test func `a run that is resumed as a branch leaves its session as it is`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let train = ["train", "--preset", "tiny", "--steps", "30", "--checkpoint-every", "10"]
    #expect(try binary.run(train + ["--session", "sessions/run.seismo"] + Self.base).status == 0)
    let before = try Data(contentsOf: binary.folder.appending(path: "sessions/run.seismo"))
    let resume = ["train", "--resume", "sessions/run.checkpoints/step-000000010", "--branch"]
    let branch = try binary.run(resume + ["probe", "--z-loss", "1e-4"] + Self.base)
    #expect(branch.status == 0 && branch.errorLines.isEmpty, "\(branch.error)")
    #expect(
      try Data(contentsOf: binary.folder.appending(path: "sessions/run.seismo")) == before)
    let again = try binary.run(["reproduce", "probe"])
    #expect(again.output.contains("over 30 steps compared: all equal"), "\(again.error)")
    let list = try binary.run(["sessions", "--sort", "name"]).output.split(separator: "\n")
    #expect(list.count == 3 && list[1].hasPrefix("probe  30"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: binary.path("sessions/probe.checkpoints"))
        .sorted() == [0, 10, 20, 30].map { "step-0000000\($0 < 10 ? "0" : "")\($0)" })
    let taken = try binary.run(resume + ["probe"] + Self.base)
    #expect(taken.status == 65 && taken.error.contains("choose another name"))
  }
}
