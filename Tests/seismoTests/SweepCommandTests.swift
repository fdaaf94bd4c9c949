import Formats
import Foundation
import Testing
import TestSupport

/// `seismo sweep` from end to end, without a terminal.
@Suite(.timeLimit(.minutes(15)))
struct SweepCommandTests {
  private static let small = [
    "sweep", "--preset", "tiny", "--width", "16", "--layers", "1", "--context", "16", "--batch",
    "4", "--steps", "20", "--eval-windows", "4",
  ]

  private func object(_ line: Substring) throws -> JSONValue {
    try JSONValue(Array(line.utf8))
  }

  @Test func `a sweep tells a line a cell and then all of them in one object`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let arguments =
      Self.small + ["--lr", "1e-3..1e-1*3", "--qk-layernorm", "off,on", "--seed", "1..2"]
    let result = try binary.run(arguments + ["--folder", "s", "--json", "--jobs", "2"])
    #expect(result.status == 0, "\(result.error)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 13)
    let whole = try object(lines[12])
    guard case .list(let cells)? = whole["cells"], case .list(let curves)? = whole["sensitivity"]
    else {
      Issue.record("\(lines[12])")
      return
    }
    #expect(cells.count == 12 && curves.count == 2)
    #expect(Set(cells.compactMap { $0["session"]?.text }).count == 12)
    #expect(cells.allSatisfy { $0["state"]?.text == "finished" && $0["steps"]?.step == 20 })
    #expect(cells[0]["options"]?["qk-layernorm"]?.text == "off")
    #expect(cells[0]["options"]?["z-loss"] == nil)
    #expect(
      cells.allSatisfy {
        FileManager.default.fileExists(atPath: binary.path($0["session"]?.text ?? ""))
      })
    guard case .list(let points)? = curves[1]["curve"] else { return }
    #expect(points.count == 3 && curves[1]["seeds"]?.step == 2)

    let again = try binary.run(["sweep", "s", "--json"])
    #expect(again.output.split(separator: "\n") == [lines[12]])
    let same = try binary.run(arguments + ["--folder", "s", "--json"])
    #expect(same.output == again.output)
    let other = try binary.run(Self.small + ["--lr", "1", "--folder", "s"])
    #expect(other.status == 65)
    #expect(other.errorLines.count == 1 && other.error.contains("s holds another grid"))
    let text = try binary.run(["sweep", "s", "--text", "--size", "120x40"])
    #expect(text.output.split(separator: "\n", omittingEmptySubsequences: false).count == 41)
    #expect(text.output.contains("held-out loss, qk-layernorm"))
    #expect(try binary.run(["sweep", "s", "--svg", "-"]).output.contains("</svg>"))
    #expect(try binary.run(["sweep", "s", "--html", "-"]).output.contains("</html>"))
  }

  @Test func `a list says what cells cost and runs none`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let result = try binary.run(Self.small + ["--lr", "1e-3,1e-2", "--seed", "1..3", "--list"])
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").count == 8)
    #expect(result.output.contains("6 cells"))
    #expect(!FileManager.default.fileExists(atPath: binary.path("sweeps")))
  }

  /// Killed at any moment it goes on, and comes to what an undisturbed one does.
  @Test func `a sweep that is killed goes on to the same numbers`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let arguments =
      Self.small.map { $0 == "20" ? "400" : $0 } + ["--lr", "1e-3,1e-2", "--jobs", "2"]
    let whole = try binary.run(arguments + ["--folder", "whole", "--json"])
    let first = binary.process(
      arguments + ["--folder", "broken", "--json", "--checkpoint-seconds", "0.25"])
    first.standardOutput = FileHandle.nullDevice
    first.standardError = FileHandle.nullDevice
    try first.run()
    let folder = binary.path("broken")
    let deadline = Date().addingTimeInterval(300)
    var hasBegun = false
    while !hasBegun, Date() < deadline, first.isRunning {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      hasBegun = names.contains { $0.hasSuffix(".checkpoints") }
      usleep(10_000)
    }
    kill(first.processIdentifier, SIGKILL)
    first.waitForEnd()
    let rest = try binary.run(["sweep", "broken", "--json"])
    #expect(rest.status == 0, "\(rest.error)")
    func losses(_ result: SeismoBinary.Result) throws -> [Double?] {
      let last = try #require(result.output.split(separator: "\n").last)
      guard case .list(let cells)? = try object(last)["cells"] else { return [] }
      return cells.flatMap { [$0["eval_loss"]?.number, $0["final_loss"]?.number] }
    }
    #expect(try losses(rest) == losses(whole))
    #expect(try losses(rest).count == 4)
  }

  @Test(arguments: [
    (64, ["--heads", "2,3"], "cell 2 (heads 3): 3 heads do not divide a width of 16"),
    (64, ["--lr", "1e-4..1*1000", "--seed", "1..1000000"], "the grid has 1000000000 cells"),
    (64, ["--shard", "17/16", "--lr", "1,2"], "--shard 17/16: give K/N"),
    (64, ["--cell", "3", "--lr", "1,2", "--folder", "s"], "--cell 3: the grid has cells 1 to 2"),
    (64, ["--lr", "fast"], "'fast' gives no values for lr"),
    (64, ["--zip", "lr,seed", "--lr", "1,2"], "zip seed: no values are given"),
    (64, ["--layerss", "2"], "did you mean '--layers'?"),
    (64, ["--cell", "1", "--claim"], "--shard, --cell and --claim: give one of them"),
    (65, ["--config", "absent.toml"], "absent.toml: no such file: check --config"),
  ])
  func `what is wrong is told in a line before anything runs`(
    status: Int32, arguments: [String], words: String
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let given = Self.small.filter { arguments.contains("--layerss") ? $0 != "--layers" : true }
    let result = try binary.run(given + arguments)
    #expect(result.status == status, "\(result.error)")
    #expect(result.errorLines.count == 1 && result.error.contains(words), "\(result.error)")
    let made = try FileManager.default.contentsOfDirectory(atPath: binary.folder.path)
    #expect(!made.contains("sweeps"))
  }

  @Test func `a sweep over sizes is followed to a limit, and rates are suggested from it`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let given = Self.small.filter { $0 != "--layers" && $0 != "1" }
    let sweep = try binary.run(
      given + ["--layers", "1,2,3,4", "--lr", "1e-3,1e-2,1e-1", "--folder", "s", "--headless"])
    #expect(sweep.status == 0, "\(sweep.error)")
    let forecast = try binary.run(["forecast", "s", "--json"])
    #expect(forecast.status == 0, "\(forecast.error)")
    let whole = try object(forecast.output.prefix { $0 != "\n" })
    guard case .list(let rates)? = whole["rates"] else {
      Issue.record("\(forecast.output)")
      return
    }
    #expect(rates.compactMap { $0["lr"]?.number } == [1e-3, 1e-2, 1e-1])
    for rate in rates {
      guard case .list(let coefficients)? = rate["coefficients"] else { continue }
      #expect(coefficients.count == 3)
      #expect(rate["held_out"]?["measured"]?.number ?? 0 > 0)
    }
    let early = try binary.run(["forecast", "s", "--at-step", "10"])
    #expect(early.status == 0 && early.output.contains("predicted"))
    let absent = try binary.run(["forecast", "s", "--metric", "nothing"])
    #expect(absent.status == 65 && absent.error.contains("no cell of this sweep has 'nothing'"))
    let suggest = try binary.run([
      "suggest", "--parameters", "5e6", "--tokens", "1e8", "--sweep", "s", "--json",
    ])
    #expect(suggest.status == 0, "\(suggest.error)")
    let members = try object(suggest.output.prefix { $0 != "\n" })
    #expect(members["step_law"]?["in_range"] == .flag(false))
    #expect(members["sweep"]?["lr"]?.number ?? 0 > 0)
  }

  @Test func `a folder that is no sweep's is told, and so is a sweep without a grid`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let none = try binary.run(["sweep", "nowhere"])
    #expect(none.status == 65 && none.error.contains("nowhere holds no sweep.toml"))
    let empty = try binary.run(["sweep"])
    #expect(empty.status == 64 && empty.error.contains("the grid is empty"))
  }
}
