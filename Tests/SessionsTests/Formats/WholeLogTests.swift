import Foundation
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Formats
@testable import Sessions

/// What the real writers leave that are used in full (`Recorded/make.py`, under `whole/`).
@Suite(.timeLimit(.minutes(15))) struct WholeLogTests {
  private func runs(_ place: String) throws -> [LoggedRun] {
    try LoggedRun.all(at: Decoding.path("Recorded/whole/\(place)"))
  }

  private func run(_ place: String) throws -> RecordedRun {
    let found = try runs(place)
    #expect(found.count == 1, "\(found.map(\.name))")
    return try found[0].read().run
  }

  @Test func `torch's lines of one chart and hyper-parameters belong to their run`() throws {
    let run = try run("torch")
    #expect(run.names == ["error/all/left", "error/all/right", "hparam/best", "loss"])
    #expect(run.samples("error/all/right").hasSuffix(" 11:1.375"))
    #expect(run.description?.options["lr"] == "0.01")
    #expect(run.description?.options["name"] == "tiny")
    #expect(run.generations.count == 1 && run.warnings.isEmpty)
  }

  @Test func `a run of W&B's that was gone on with is one, with all that it says`() throws {
    let run = try run("wandb")
    #expect(run.generations.map(\.startingStep) == [0, 6])
    let losses = run.generations.flatMap { generation in
      generation.columns.filter { $0.name == "loss" }.flatMap(\.values)
    }
    #expect(losses == (0..<12).map { 4.0 / Double(1 + $0) })
    #expect(run.samples("val/acc") == "2:0.125 5:0.3125 | 8:0.5 11:0.6875")
    #expect(run.state == .failed(reason: "it ended with exit code 3"))
    let own = run.names.filter { !MetricCatalog.isMachine($0) }
    #expect(own == ["deep/er", "epoch", "loss", "val/acc"])
    #expect(
      run.console.sorted().map { $0.prefix { $0 != " " } } == ["histogram", "picture", "table"])
    #expect(run.notes.filter { $0.contains("careful: it is hot") }.count == 2)
    let environment = run.description?.environment
    #expect(environment?["notes"] == "a note on it" && environment?["tags"] == "first, small")
    #expect(environment?["group"] == "night" && environment?["job type"] == "train")
    #expect(environment?["host"] == "node7")
    #expect(run.description?.options["model.deep.er"] == "x")
  }

  @Test func `what define_metric says is kept in the session`() throws {
    let folder = try TestFolder()
    let path = folder.path("axes.seismo")
    _ = try SessionImport.add(run("wandb-axes"), to: path)
    let history = RunHistory(try SessionReader(path: path).records())
    let said = history.definitions
    #expect(said.axis(of: "loss/eval") == "epoch" && said.axis(of: "val/top1") == "epoch")
    #expect(said.axis(of: "loss") == "custom/step" && said.axis(of: "wall") == "_runtime")
    #expect(said.axis(of: "deep/er") == "epoch" && said.axis(of: "reward") == nil)
    #expect(history.names.filter(said.isHidden) == ["custom/step", "lr"])
    #expect(said.summary(of: "loss") == ["min", "last"] && said.summary(of: "reward") == ["max"])
    #expect(history["custom/step"]?.lastValue == 1100)
  }

  @Test func `what W&B says of the machine goes with the steps, under our names`() throws {
    let run = try run("wandb")
    let machine = run.generations.flatMap(\.columns).filter { MetricCatalog.isMachine($0.name) }
    #expect(machine.contains { $0.name == "system/memory" })
    let memory = try #require(machine.first { $0.name == "system/process.memory" })
    #expect(memory.values.allSatisfy { $0 > 1e7 && $0 < 1e11 })
    for column in machine {
      #expect(Set(column.steps).count == column.steps.count, "\(column.name)")
      #expect(column.steps.allSatisfy { (0..<12).contains($0) })
    }
  }

  @Test func `both of Lightning's loggers give the same, with their settings`() throws {
    let found = try runs("lightning")
    #expect(found.map(\.format) == [.csv, .eventFiles])
    for logged in found {
      let run = try logged.read().run
      let loss = run.generations[0].columns.first { $0.name == "loss" }
      #expect(loss?.steps == [1, 3, 5, 7])
      #expect(loss?.values.map { Float($0) } == [0.17297596, 2.7676156, 44.28185, 708.50958])
      let held = run.generations[0].columns.first { $0.name == "loss/eval" }
      #expect(held?.steps == [3, 7])
      #expect(run.description?.options["lr"] == "0.5" && run.description?.options["width"] == "2")
    }
  }

  private func values(_ run: RecordedRun, _ name: MetricName) -> [Double] {
    run.generations.flatMap(\.columns).filter { $0.name == name }.flatMap(\.values)
  }

  @Test func `Hugging Face's trainer prints its numbers in quotes`() throws {
    let run = try run("printed/transformers.log")
    #expect(values(run, "loss") == [2.033, 1.947, 2.184, 1.794])
    #expect(values(run, "loss/eval") == [1.989, 1.989])
    #expect(run.description?.environment["progress"]?.hasSuffix("/8") == true)
  }

  @Test func `Keras prints and writes the same epochs`() throws {
    let (printed, written) = (try run("printed/keras.log"), try run("printed/keras.csv"))
    #expect(printed.samples("loss") == "1:0.82 2:0.4998 3:0.3047")
    #expect(printed.samples("loss/eval") == "1:0.5961 2:0.3633 3:0.2215")
    #expect(values(written, "loss").map { ($0 * 1e4).rounded() / 1e4 } == values(printed, "loss"))
    #expect(written.generations[0].columns.first { $0.name == "val_mae" }?.steps == [0, 1, 2])
  }

  @Test func `stable-baselines3 prints a table a rollout`() throws {
    let run = try run("printed/stable-baselines3.log")
    #expect(run.samples("reward") == "2048:20.5 4096:41.0 6144:61.5")
    #expect(run.samples("loss") == "4096:4.0 6144:2.67")
    #expect(run.samples("lr") == "4096:0.0003 6144:0.0003")
    #expect(run.description?.environment["metric reward"] == "rollout/ep_rew_mean")
  }
}
