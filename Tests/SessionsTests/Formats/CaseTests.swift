import Foundation
import Telemetry
import Testing

@testable import Formats

/// Files of the kinds that people have, and what must come out.
@Suite(.timeLimit(.minutes(15))) struct CaseTests {
  private func run(_ file: String) throws -> RecordedRun {
    try LoggedRun.all(at: Decoding.path("Cases/\(file)"))[0].read().run
  }

  /// The samples of the newest generation.
  private func newest(_ run: RecordedRun, _ name: MetricName) -> String {
    run.newest.samples(name)
  }

  @Test func `metrics that count something else hide no other`() throws {
    let run = try run("interleaved.jsonl")
    #expect(newest(run, "loss") == "50:1.5 100:1.4 150:1.3 200:1.25")
    #expect(newest(run, "mAP") == "1:0.3 2:0.4")
    #expect(run.samples("t") == "50:1.0 100:1.0 1:1.0 150:1.0 200:1.0 2:1.0")
    #expect(run.generations.count == 1)
  }

  @Test func `validation logged at step 0 again and again is kept`() throws {
    let run = try run("validation-at-zero.jsonl")
    #expect(newest(run, "loss") == "0:1.5 100:1.2 200:1.0 300:0.9")
    #expect(run.samples("loss/eval") == "0:1.6 0:1.1")
    #expect(newest(run, "loss/eval") == "0:1.1")
    #expect(run.generations.count == 1)
  }

  @Test func `a run that starts again has two generations`() throws {
    let run = try run("restart-shorter.jsonl")
    #expect(run.generations.map(\.startingStep) == [0, 0])
    #expect(run.generations.map { $0.columns[0].steps.count } == [21, 5])
    #expect(run.newest.generations[0].columns[0].steps == [0, 5, 10, 15, 20])
  }

  @Test func `any metric is read`() throws {
    #expect(try run("reward.csv").samples("reward") == "0:1.0 10:2.0 20:4.0")
    let run = try run("partly-known.jsonl")
    #expect(run.names == ["data_time", "loss", "lr", "time"])
    #expect(run.description?.environment["metric loss"] == "total_loss")
    #expect(run.samples("time").hasPrefix("19:0.36 39:0.37"))
  }

  @Test func `steps have many names`() throws {
    let run = try run("current-steps.jsonl")
    #expect(run.samples("loss") == "3200:4.4 3300:4.2")
    #expect(run.names == ["loss", "percentage"])
    #expect(run.description?.totalSteps == 9600)
    #expect(run.description?.isForeign == true)
  }

  @Test func `downloads of TensorBoard and W&B`() throws {
    let board = try run("tensorboard-download.csv")
    #expect(board.samples("tensorboard-download") == "100:2.5 200:2.25")
    #expect(board.generations[0].wallTimes.values == [1700000000.1, 1700000060.2])
    let wandb = try run("wandb-download.csv")
    #expect(wandb.samples("loss") == "0:2.5 10:2.25")
    #expect(wandb.names == ["loss", "loss/max", "loss/min"])
  }

  @Test func `separators and decimal commas are found by looking`() throws {
    let semicolon = try run("semicolon.log")
    #expect(semicolon.samples("loss") == "0:2.5 1:2.25")
    #expect(semicolon.samples("loss/eval") == "0:2.75 1:2.5")
    #expect(try run("tabs.tsv").samples("loss") == "0:2.5 1:2.25")
  }

  @Test func `a header that comes again is no row, a longer one is the new header`() throws {
    let run = try run("header-again.csv")
    #expect(run.samples("loss") == "0:2.0 1:1.5 2:1.25 3:1.0")
    #expect(run.samples("acc") == "3:0.5")
    #expect(run.warnings.isEmpty)
  }

  @Test(arguments: ["csv", "jsonl"]) func `no row of a fractional step is lost`(
    ending: String
  ) throws {
    let run = try run("fractional.\(ending)")
    let isTable = ending == "csv"
    #expect(run.samples("loss") == (isTable ? "0:4.0 1:3.0 2:2.0 3:1.0" : "0:4.0 1:3.0 2:2.0"))
    #expect(run.samples("step") == (isTable ? "0:0.0 1:0.5 2:1.0 3:1.5" : "0:0.0 1:0.5 2:1.0"))
    #expect(
      run.warnings == ["step is no whole number that grows: rows are counted as steps"])
  }

  @Test func `empty lines are none, times in words are times`() throws {
    let blank = try run("blank-lines.csv")
    #expect(blank.samples("loss") == "0:2.0 10:1.5")
    #expect(blank.warnings.isEmpty)
    let time = try run("iso-time.csv")
    #expect(time.generations[0].wallTimes.values == [1767323045, 1767323105])
    #expect(time.warnings == ["its times name no zone: they are taken as UTC"])
    #expect(time.names == ["loss"])
  }

  @Test func `numbers in words are numbers, other words are told where they change`() throws {
    let run = try run("words.jsonl")
    #expect(run.samples("loss") == "0:nan 1:2.5 2:inf")
    #expect(run.samples("lr") == "0:0.001 1:0.002 2:0.003")
    #expect(run.notes == ["0 phase: warm-up", "2 phase: main"])
  }

  @Test func `a long table has its runs`() throws {
    let runs = try LoggedRun.all(at: Decoding.path("Cases/long.csv"))
    #expect(runs.map(\.name) == ["a", "b"])
    let (first, second) = (try runs[0].read().run, try runs[1].read().run)
    #expect(first.samples("loss") == "0:2.0 1:1.5")
    #expect(first.names == ["loss"])
    #expect(second.samples("loss") == "0:3.0")
    #expect(second.samples("lr") == "1:0.1")
    #expect(second.generations[0].wallTimes.values == [1700000000, 1700000001])
  }

  @Test func `what nanoGPT prints`() throws {
    let run = try run("nanogpt.log")
    #expect(run.samples("loss") == "0:4.2649 10:3.2438 20:2.7899 250:2.041")
    #expect(run.samples("loss/eval") == "0:4.2823 250:2.0636")
    #expect(run.samples("train loss") == "0:4.2874 250:1.9664")
    #expect(run.samples("step_ms").hasPrefix("0:31211.36 10:101.75"))
    #expect(run.samples("mfu") == "0:-100.0 10:3.66 20:3.65 250:3.3")
    #expect(
      run.console == [
        "number of parameters: 10.65M", "saving checkpoint to out-shakespeare-char",
      ])
    #expect(run.names.count == 5)
  }

  @Test func `what Hugging Face's trainer prints`() throws {
    let run = try run("huggingface.log")
    #expect(run.samples("loss") == "0:2.7215 1:2.5001")
    #expect(run.samples("grad_norm") == "0:1.25 1:nan")
    #expect(run.samples("lr") == "0:4.5e-05 1:4e-05")
    #expect(run.samples("loss/eval") == "2:2.4")
    #expect(run.samples("epoch") == "0:0.1 1:0.2 2:0.2 3:1.0")
    #expect(run.description?.environment["progress"] == "60/500")
    #expect(run.warnings == ["no step is told: rows are counted from 0"])
    #expect(run.console == ["Some other line"])
  }

  @Test func `what Megatron prints`() throws {
    let run = try run("megatron.log")
    #expect(run.samples("loss") == "100:6.512345 200:5.901234")
    #expect(run.samples("lr") == "100:0.00015 200:0.0003")
    #expect(run.samples("grad_norm") == "100:1.234 200:0.987")
    #expect(run.samples("step_ms") == "100:512.3 200:508.9")
    #expect(run.samples("consumed samples") == "100:25600.0 200:51200.0")
    #expect(run.description?.totalSteps == 1000)
    #expect(run.console.isEmpty)
  }

  @Test func `what llm.c prints`() throws {
    let run = try run("llm-c.log")
    #expect(run.samples("loss") == "1:11.009985 2:10.950123")
    #expect(run.samples("grad_norm") == "1:15.2345 2:14.9876")
    #expect(run.samples("lr") == "1:8.57e-07 2:1.71e-06")
    #expect(run.samples("step_ms") == "1:4312.11 2:4290.87")
    #expect(run.samples("tokens_per_s") == "1:121593.0 2:121890.0")
    #expect(run.samples("loss/eval") == "2:10.912345")
    #expect(run.description?.totalSteps == 100)
  }

  @Test func `what Keras prints`() throws {
    let run = try run("keras.log")
    #expect(run.samples("loss") == "1:2.5 2:2.2")
    #expect(run.samples("accuracy") == "1:0.1 2:0.3")
    #expect(run.samples("loss/eval") == "1:2.4 2:2.1")
    #expect(run.names == ["accuracy", "loss", "loss/eval", "val_accuracy"])
    #expect(run.console.isEmpty)
  }
}

/// Printed forms of which there is no recorded file.
@Suite(.timeLimit(.minutes(15))) struct TextLogTests {
  private func run(_ lines: [String]) throws -> RecordedRun {
    try Decoding.run(TextLogDecoder(), Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  @Test func `MMEngine's lines`() throws {
    let run = try run([
      "2024/01/02 03:04:05 - mmengine - INFO - Epoch(train)  [1][ 50/500]  lr: 1.0e-02  eta: "
        + "0:01:00  time: 0.5  data_time: 0.1  memory: 100  loss: 2.5",
      "2024/01/02 03:04:06 - mmengine - INFO - Epoch(train)  [2][ 50/500]  lr: 1.0e-03  eta: "
        + "0:01:00  time: 0.5  data_time: 0.1  memory: 100  loss: 2.0",
      "2024/01/02 03:04:07 - mmengine - INFO - Epoch(val)  [2][10/10]    accuracy: 0.5",
    ])
    #expect(run.samples("loss") == "50:2.5 550:2.0")
    #expect(run.samples("lr") == "50:0.01 550:0.001")
    #expect(run.samples("val/accuracy") == "1000:0.5")
  }

  @Test func `torchtitan's values, OLMo's below a step's line`() throws {
    let titan = try run([
      "[rank0]:2024-01-02 03:04:05,123 - root - INFO - step: 10  loss:  2.5  grad_norm:  1.25  "
        + "memory:  1.00GiB(1.2%)  tps: 1,234  tflops: 10.5  mfu: 3.4%"
    ])
    #expect(titan.samples("loss") == "10:2.5")
    #expect(titan.samples("tokens_per_s") == "10:1234.0")
    #expect(titan.samples("mfu") == "10:3.4")
    let olmo = try run([
      "2024-01-02 03:04:05.123 host:0 olmo.train:100 INFO [step=10/1000,epoch=0]",
      "    train/CrossEntropyLoss=2.5", "    train/Perplexity=12.25",
      "2024-01-02 03:04:05.123 host:0 olmo.train:100 INFO [step=20/1000,epoch=0]",
      "    train/CrossEntropyLoss=2.0",
    ])
    #expect(olmo.samples("loss") == "10:2.5 20:2.0")
    #expect(olmo.samples("train/Perplexity") == "10:12.25")
  }

  @Test func `tables between bars, JSON within a line`() throws {
    let table = try run([
      "---------------------------------", "| rollout/           |          |",
      "|    ep_rew_mean     | 22.5     |", "| time/              |          |",
      "|    total_timesteps | 2048     |", "---------------------------------",
      "---------------------------------", "| rollout/           |          |",
      "|    ep_rew_mean     | 30       |", "| time/              |          |",
      "|    total_timesteps | 4096     |", "---------------------------------",
    ])
    #expect(table.samples("reward") == "2048:22.5 4096:30.0")
    let json = try run([#"2024-01-02 INFO metrics: {"step": 5, "loss": 1.5}"#])
    #expect(json.samples("loss") == "5:1.5")
  }

  @Test func `keys with numbers count where they come in three lines or beside a step`() throws {
    let run = try run([
      "port: 8080", "reward: 1 length: 10", "reward: 2 length: 11", "seed: 7",
      "reward: 3 length: 12", "reward: 4 length: 13",
    ])
    #expect(run.names == ["length", "reward"])
    #expect(run.samples("reward") == "1:1.0 2:2.0 4:3.0 5:4.0")
    #expect(
      run.console == ["port: 8080", "reward: 1 length: 10", "reward: 2 length: 11", "seed: 7"])
    let beside = try self.run(["Step 3, loss: 2.5, acc=0.5", "at 12:30:45 all is well"])
    #expect(beside.samples("acc") == "3:0.5")
    #expect(beside.console == ["at 12:30:45 all is well"])
  }

  @Test func `bars are progress, an epoch may be the step`() throws {
    let run = try run([
      "Epoch 0: 100%|██████| 10/10 [00:01<00:00, 9.5it/s, loss=2.5]",
      "Epoch 1: loss=2.5, val_loss=2.25", "Epoch 2: loss=2.25, val_loss=2",
    ])
    #expect(run.description?.environment["progress"] == "10/10")
    #expect(run.samples("loss") == "1:2.5 2:2.25")
    #expect(run.samples("loss/eval") == "1:2.25 2:2.0")
  }

  @Test func `a line without end is cut, and the next one read`() throws {
    var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    bytes += Array("\nstep 1: loss 2.5\n".utf8)
    let run = try Decoding.run(TextLogDecoder(), bytes)
    #expect(run.samples("loss") == "1:2.5")
    #expect(run.console.count == 1 && run.console[0].utf8.count < 2000)
  }
}
