import ArgumentParser
import Signals
import Telemetry
import Testing
import Training

@testable import Runs
@testable import seismo

@Suite(.timeLimit(.minutes(15)))
struct RunFileTests {
  @Test func `options stand under the flags' names, commands under at`() throws {
    let file = try RunFile(
      text: """
        preset = "tiny"
        lr = 3e-2
        steps = 300
        qk-layernorm = false
        session = "a.seismo"
        headless = true

        [[at]]
        step = 150
        command = "set qk_layernorm on"

        [[at]]
        step = 20
        commands = ["note hello", "checkpoint"]
        """, path: "run.toml")
    #expect(
      file.options == [
        "preset": "tiny", "lr": "0.03", "steps": "300", "qk-layernorm": "off",
      ])
    #expect(file.conduct == ["session": "a.seismo", "headless": "on"])
    #expect(
      file.script == [
        ScriptedCommand(step: 20, command: .note("hello")),
        ScriptedCommand(step: 20, command: .checkpoint),
        ScriptedCommand(step: 150, command: .set(name: "qk_layernorm", value: .flag(true))),
      ])
  }

  @Test(arguments: [
    ("pressset = 1", "run.toml: unknown key 'pressset': did you mean 'preset'?"),
    ("lr = -1", "run.toml: lr: '-1' is no value for it: give a number from 0 to 1000"),
    (
      "steps = 1.5",
      "run.toml: steps: '1.5' is no value for it: give a whole number"
        + " from 1 to 1000000000"
    ),
    ("lr = [1]", "run.toml: lr: give a number, true, false or a string"),
    ("[[at]]\nstep = 1", "run.toml: at.command: give a command, such as \"set qk_layernorm on\""),
    ("[[at]]\ncommand = \"pause\"", "run.toml: at.step: give the step as a whole number"),
    (
      "[[at]]\nstep = 1\ncommand = \"set qk_layernrm on\"",
      "run.toml: at.command: no setting 'qk_layernrm': did you mean 'qk_layernorm'?"
    ),
    (
      "[[at]]\nstep = 1\ncomand = \"pause\"",
      "run.toml: unknown key 'at.comand':"
        + " did you mean 'command'?"
    ),
    (
      "steps = 5\n[[when]]\nmetric = \"los\"\nabove = 3\ncommand = \"pause\"",
      "run.toml:3: when.metric: no metric 'los': did you mean 'loss'?"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\nbelow = 2\ncommand = \"pause\"",
      "run.toml:1: when: give one of above and below"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\ncommand = \"pause\"\n[[when]]\n\nat_mots = 2",
      "run.toml:7: unknown key 'when.at_mots': did you mean 'at_most'?"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\ncommands = [\"pause\", \"rewnd\"]",
      "run.toml:4: when.commands: no command 'rewnd': did you mean 'rewind'?"
    ),
    (
      "[[when]]\nmetric = \"step_ms\"\nabove = 3\ncommand = \"pause\"",
      "run.toml:2: when.metric: 'step_ms' is said by a clock: no run could be reproduced"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\nat_most = 0\ncommand = \"pause\"",
      "run.toml:4: when.at_most: give a whole number from 1 to 1000"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\nafter = -1\ncommand = \"pause\"",
      "run.toml:4: when.after: give a whole number from 0 to 1000000000"
    ),
    (
      "[[when]]\nmetric = \"loss\"\nabove = 3\ncommand = \"pause\"\nfor = 2.5",
      "run.toml:5: when.for: give a whole number from 0 to 1000000000"
    ),
    (
      "steps = 5\n[alarms]\nloss-spike = 8\nlos-spike = 8",
      "run.toml:4: no alarm 'los-spike': did you mean 'loss-spike'?"
    ),
    (
      "[alarms]\nloss-spike = 0",
      "run.toml:2: alarms.loss-spike: give a number from 1 to 1000, or off"
    ),
    ("[alarms]\nnot-finite = 3", "run.toml:2: alarms.not-finite: give on or off"),
    (
      "steps = 5\nalarms = 3",
      "run.toml:2: alarms: write [alarms] with a rule's name and its threshold,"
        + " such as loss-spike = 8"
    ),
    ("at = 3", "run.toml: at: write [[at]] with step and command"),
  ])
  func `what is wrong is one line that names the file and the key`(text: String, line: String) {
    let flaw = #expect(throws: RunFile.Flaw.self) { try RunFile(text: text, path: "run.toml") }
    #expect(flaw?.description == line)
  }

  @Test func `rules are read`() throws {
    let file = try RunFile(
      text: """
        [[when]]
        metric = "attention_logit_max/1"
        above = 100
        commands = ["rewind last skip 50", "set lr.multiplier 0.5"]
        at_most = 3
        [[when]]
        metric = "loss"
        below = 2.5
        after = 200
        for = 20
        command = "checkpoint"
        """, path: "run.toml")
    #expect(
      file.autopilot == [
        AutopilotRule(
          metric: "attention_logit_max/1", bound: .above(100),
          commands: [
            .rewind(checkpoint: "last", skip: 50),
            .set(name: "lr.multiplier", value: .number(0.5)),
          ], limit: 3),
        AutopilotRule(
          metric: "loss", bound: .below(2.5), commands: [.checkpoint], after: 200, steps: 20),
      ])
  }

  @Test func `thresholds of alarms are options of the run`() throws {
    let file = try RunFile(
      text: """
        steps = 5
        [alarms]
        loss-spike = 9
        attention-logits-high = 2e3
        dead-expert = "off"
        not-finite = false
        overloaded-expert = 2.5
        """, path: "run.toml")
    let configuration = try TrainingConfiguration(options: file.options)
    var wanted = AlarmThresholds()
    _ = wanted.set(.lossSpike, words: "9")
    _ = wanted.set(.attentionLogitsHigh, words: "2000")
    _ = wanted.set(.deadExpert, words: "off")
    _ = wanted.set(.notFinite, words: "off")
    #expect(configuration.alarms == wanted)
    #expect(
      configuration.options.filter { $0.key.hasPrefix("alarms.") } == [
        "alarms.loss-spike": "9", "alarms.attention-logits-high": "2000",
        "alarms.dead-expert": "off", "alarms.not-finite": "off",
      ])
  }

  @Test func `a syntax error names its line`() {
    let flaw = #expect(throws: RunFile.Flaw.self) {
      try RunFile(text: "lr = 1\nsteps = = 2\n", path: "run.toml")
    }
    #expect(flaw?.description.hasPrefix("run.toml:2: ") == true)
  }

  @Test func `every option of the table is an option of the command line`() throws {
    for option in RunOptionCatalog.all {
      let value =
        switch option.kind {
        case .flag: "on"
        case .count(let range), .counts(let range): "\(range.lowerBound)"
        case .number(let range): "\(range.lowerBound)"
        case .choice(let words): words[0]
        case .text: "x"
        }
      var arguments = ["--\(option.name)"]
      if case .flag = option.kind {} else { arguments.append(value) }
      let options = try RunOptions.parse(arguments)
      #expect(options.given == [option.name: value])
    }
  }

  @Test func `text cut at every byte is an error or a file, never a crash`() {
    let text = "preset = \"tiny\"\nlr = 3e-2\n[[at]]\nstep = 1\ncommand = \"set z_loss 1e-4\"\n"
    for length in 0...text.utf8.count {
      let cut = String(decoding: text.utf8.prefix(length), as: UTF8.self)
      do {
        _ = try RunFile(text: cut, path: "run.toml")
      } catch {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
