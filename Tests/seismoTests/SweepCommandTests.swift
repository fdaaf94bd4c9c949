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
    try #require(lines.count == 13)
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
    (64, ["--lr", "1,2", "--halving", "1"], "--halving 1: give a whole number from 2 to 100"),
    (64, ["--lr", "1,2", "--halving", "3", "--claim"], "--halving compares all cells of a size"),
    (64, ["--around", "suggest", "--random", "3"], "--around and --random: give one of them"),
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
    guard case .list(let laws)? = whole["loss"] else { return }
    #expect(laws.count == 1 && laws[0]["over"]?.text == "parameters")
    #expect(laws[0]["held_out"]?["measured"]?.number ?? 0 > 0)
    #expect(early.output.contains("loss over"))
    let picture = try binary.run(["forecast", "s", "--svg", "-"])
    #expect(picture.status == 0 && picture.output.contains("</svg>"), "\(picture.error)")
    let gradients = try binary.run(["forecast", "s", "--metric", "grad_rms"])
    #expect(gradients.status == 0 && gradients.output.contains("passes 1"))
    let absent = try binary.run(["forecast", "s", "--metric", "nothing"])
    #expect(absent.status == 65 && absent.error.contains("no cell of this sweep has 'nothing'"))
    let suggest = try binary.run([
      "suggest", "--parameters", "5e6", "--tokens", "1e8", "--sweep", "s", "--json",
    ])
    #expect(suggest.status == 0, "\(suggest.error)")
    let members = try object(suggest.output.prefix { $0 != "\n" })
    #expect(members["step_law"]?["in_range"] == .flag(false))
    #expect(members["sweep"]?["lr"]?.number ?? 0 > 0)
    try expectWrittenRun(binary)
    try expectRatesAround(binary)
    try expectPicks(binary)
  }

  /// Of the same sweep: rates around its best ones for other sizes.
  private func expectRatesAround(_ binary: SeismoBinary) throws {
    let given = Self.small.filter { $0 != "--layers" && $0 != "1" } + ["--layers", "2,3"]
    let list = try binary.run(given + ["--seed", "1,2", "--around", "s", "--list"])
    #expect(list.status == 0, "\(list.error)")
    #expect(list.output.contains("12 cells"))
    #expect(
      list.error.contains("(the best ones of s): 12 cells in place of 28 over three decades"))
    let law = try binary.run(given + ["--around", "suggest", "--list"])
    #expect(law.status == 64 && law.error.contains("nothing is suggested for a cell of this size"))
    let both = try binary.run(given + ["--around", "s", "--lr", "1", "--list"])
    #expect(both.status == 64 && both.error.contains("lr: the rates come from --around"))
    let none = try binary.run(given + ["--around", "nowhere", "--list"])
    #expect(none.status == 65 && none.error.contains("nowhere holds no sweep.toml"))
  }

  /// Of the same sweep: a run of its own kind and another size, which can be trained as it stands.
  private func expectWrittenRun(_ binary: SeismoBinary) throws {
    let given = [
      "suggest", "--parameters", "40e3", "--tokens", "3000", "--sweep", "s", "--write", "big.toml",
    ]
    let written = try binary.run(given)
    #expect(written.status == 0, "\(written.error)")
    let text = try String(contentsOfFile: binary.path("big.toml"), encoding: .utf8)
    #expect(text.contains("context = \"16\"") && text.contains("# rate: best rates of 4 sizes"))
    let run = try binary.run([
      "train", "--config", "big.toml", "--steps", "2", "--headless", "--session", "big.seismo",
    ])
    #expect(run.status == 0, "\(run.error)")
    let again = try binary.run(given)
    #expect(again.status == 65 && again.error.contains("big.toml: is there already"))
    let none = try binary.run([
      "suggest", "--parameters", "4e4", "--tokens", "3000", "--write", "x.toml",
    ])
    #expect(none.status == 65 && none.error.contains("nothing says a rate for 40.0k parameters"))
    let law = try binary.run([
      "suggest", "--parameters", "4.7e6", "--tokens", "1e8", "--write", "law.toml",
    ])
    #expect(law.status == 0, "\(law.error)")
    let small = try String(contentsOfFile: binary.path("law.toml"), encoding: .utf8)
    #expect(small.contains("width = \"256\"") && small.contains("layers = \"6\""), "\(small)")
  }

  /// Of a sweep of three rates at four sizes in `s`.
  private func expectPicks(_ binary: SeismoBinary) throws {
    let picks = try binary.run(["pick", "s", "--k", "2", "--json"])
    #expect(picks.status == 0, "\(picks.error)")
    let picked = try object(picks.output.prefix { $0 != "\n" })
    guard case .list(let best)? = picked["picks"], case .list(let proxies)? = picked["proxies"]
    else {
      Issue.record("\(picks.output)")
      return
    }
    #expect(best.count == 2 && proxies.count == 3)
    #expect(best[0]["options"]?["lr"] != nil && best[0]["options"]?["layers"] == nil)
    #expect(proxies.allSatisfy { $0["settings"]?.step == 3 })
    #expect(try binary.run(["pick", "s"]).output.contains("must not be believed"))
    for cost in ["tokens_per_s", "flops", "parameters", "memory"] {
      let front = try binary.run(["pick", "s", "--front", cost, "--json"])
      #expect(front.status == 0, "\(front.error)")
      let object = try object(front.output.prefix { $0 != "\n" })
      guard case .list(let cells)? = object["front"] else { continue }
      #expect(cells.count + (object["beaten"]?.step ?? 0) == 12 && cells.count >= 1)
      #expect(try binary.run(["pick", "s", "--front", cost]).output.contains("beaten in both"))
    }
    let target = try binary.run(["pick", "s", "--target", "6.05", "--json"])
    #expect(target.status == 0, "\(target.error)")
    guard case .list(let cells)? = try object(target.output.prefix { $0 != "\n" })["cells"] else {
      return
    }
    #expect(cells.count == 12)
    let never = try binary.run(["pick", "s", "--target", "0.001"])
    #expect(never.status == 0 && never.output.contains("no cell came to 0.001"))
  }

  @Test(arguments: [
    (65, ["nowhere"], "nowhere holds no sweep.toml"),
    (65, ["empty"], "empty: no cell of this sweep has ended"),
    (64, ["empty", "--k", "0"], "--k 0: give a whole number from 1 to 1000"),
    (64, ["empty", "--target", "-1"], "--target -1"),
    (64, ["empty", "--target", "2", "--k", "3"], "--k, --front and --target: give one of them"),
    (64, ["empty", "--front", "money"], "'money' is no value for --front"),
  ])
  func `what cannot be picked from is told in a line`(
    status: Int32, arguments: [String], words: String
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try FileManager.default.createDirectory(
      atPath: binary.path("empty"), withIntermediateDirectories: true)
    try Data("preset = \"tiny\"\nlr = [1e-3, 1e-2]\n".utf8)
      .write(to: URL(fileURLWithPath: binary.path("empty/sweep.toml")))
    let result = try binary.run(["pick"] + arguments)
    #expect(result.status == status, "\(result.error)")
    #expect(result.errorLines.count == 1 && result.error.contains(words), "\(result.error)")
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
