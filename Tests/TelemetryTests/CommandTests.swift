import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15)))
struct CommandTests {
  @Test(arguments: [
    ("pause", Command.pause), ("  resume ", .resume), ("step", .step(1)), ("step 12", .step(12)),
    ("checkpoint", .checkpoint), ("note looks  odd", .note("looks  odd")),
    ("evaluate", .evaluate), ("stop", .stop), ("detach", .detach), ("undo", .undo),
    ("set qk_layernorm on", .set(name: "qk_layernorm", value: .flag(true))),
    ("set qk_layernorm 0", .set(name: "qk_layernorm", value: .flag(false))),
    ("set lr.multiplier 0.5", .set(name: "lr.multiplier", value: .number(0.5))),
    ("set z_loss on", .set(name: "z_loss", value: .number(1e-4))),
    ("set z_loss off", .set(name: "z_loss", value: .number(0))),
    ("rewind last", .rewind(checkpoint: "last", skip: 0)),
    ("rewind good skip 20", .rewind(checkpoint: "good", skip: 20)),
    ("rewind 100 skip 20", .rewind(checkpoint: "100", skip: 20)),
    ("rewind step-000000100", .rewind(checkpoint: "step-000000100", skip: 0)),
    ("note @12 odd", .note("odd", at: 12)), ("note @12", .note("@12")),
    ("note @x y", .note("@x y")),
    ("skip 5", .skip(5)), ("branch low-rate", .branch(name: "low-rate")),
    ("set grad_clip 1e3", .set(name: "grad_clip", value: .number(1000))),
  ])
  func `words are read`(words: String, command: Command) throws {
    #expect(try Command(words: words) == command)
  }

  @Test(arguments: [
    Command.pause, .resume, .step(1), .step(7), .checkpoint, .note("a note"), .note("b", at: 9),
    .evaluate, .stop,
    .detach, .undo, .skip(3), .branch(name: "b2"), .rewind(checkpoint: "last", skip: 0),
    .rewind(checkpoint: "100", skip: 20), .set(name: "z_loss", value: .number(1e-4)),
    .set(name: "qk_layernorm", value: .flag(false)),
    .set(name: "grad_clip", value: .number(123_456.789)),
  ])
  func `the words of a command read back as it`(command: Command) throws {
    #expect(try Command(words: command.words) == command)
  }

  @Test(arguments: [
    (
      "",
      "an empty command: type one of pause, resume, step, checkpoint, note, evaluate, stop, "
        + "detach, set, undo, rewind, skip, branch"
    ),
    ("pauze", "no command 'pauze': did you mean 'pause'?"),
    ("abracadabra", "no command 'abracadabra': ? lists them"),
    ("pause now", "'pause now' is not complete: write 'pause'"),
    ("step 0", "'step 0' is not complete: write 'step [N]'"),
    ("step -3", "'step -3' is not complete: write 'step [N]'"),
    ("note", "'note' is not complete: write 'note TEXT'"),
    ("set z_loss", "'set z_loss' is not complete: write 'set NAME VALUE'"),
    ("set z_los 1", "no setting 'z_los': did you mean 'z_loss'?"),
    ("set temperature 1", "no setting 'temperature': m lists them"),
    ("set qk_layernorm 2", "'2' is no value for qk_layernorm: give on or off"),
    ("set weight_decay 2", "'2' is no value for weight_decay: give a number from 0 to 1"),
    ("set weight_decay nan", "'nan' is no value for weight_decay: give a number from 0 to 1"),
    ("set weight_decay -1", "'-1' is no value for weight_decay: give a number from 0 to 1"),
    ("set weight_decay inf", "'inf' is no value for weight_decay: give a number from 0 to 1"),
    ("rewind", "'rewind ' is not complete: write 'rewind CHECKPOINT [skip N]'"),
    ("rewind 5 skip", "'rewind 5 skip' is not complete: write 'rewind CHECKPOINT [skip N]'"),
    ("rewind 5 skip 0", "'rewind 5 skip 0' is not complete: write 'rewind CHECKPOINT [skip N]'"),
    (
      "rewind ../x",
      "'../x' is no value for rewind: give last, good, a step or a checkpoint's name such as "
        + "step-000000100"
    ),
    ("skip -1", "'skip -1' is not complete: write 'skip N'"),
    (
      "branch a/b",
      "'a/b' is no value for branch: give a name of letters, digits, -, _ and .,"
        + " that begins with no - or ."
    ),
    (
      "branch ..",
      "'..' is no value for branch: give a name of letters, digits, -, _ and .,"
        + " that begins with no - or ."
    ),
    ("set grad_clip 1e7", "'1e7' is no value for grad_clip: give a number from 0 to 1000000"),
  ])
  func `words that are no command say why in one line`(words: String, why: String) {
    do throws(CommandError) {
      let command = try Command(words: words)
      Issue.record("'\(words)' was read as \(command)")
    } catch {
      #expect(error.description == why)
    }
  }

  @Test func `the vocabulary lists what is read`() throws {
    let usual = [
      "note": "note a", "set": "set z_loss 1", "rewind": "rewind last", "skip": "skip 1",
      "branch": "branch b",
    ]
    for word in Command.vocabulary {
      #expect(try Command(words: usual[word.name] ?? word.name).words.hasPrefix(word.name))
      #expect(word.usage.hasPrefix(word.name) && word.sentence.hasSuffix("."))
    }
  }

  @Test func `every setting takes its usual value`() {
    for entry in SettingCatalog.entries {
      #expect(entry.value(words: entry.usual.description) == entry.usual, "\(entry.name)")
    }
  }

  private static let declared = [
    SettingDeclaration(
      name: "grad_clip", kind: .number(lowest: 0, highest: 5), value: .number(1), purpose: ""),
    SettingDeclaration(name: "ema", kind: .flag, value: .flag(false), purpose: ""),
    SettingDeclaration(
      name: "mode", kind: .choice(["a", "b"]), value: .word("a"), purpose: ""),
  ]

  @Test(arguments: [
    ("set grad_clip 2", Command.set(name: "grad_clip", value: .number(2))),
    ("set ema on", .set(name: "ema", value: .flag(true))),
    ("set mode b", .set(name: "mode", value: .word("b"))),
    ("sample", .other("sample")), ("sample 3", .other("sample 3")), ("pause", .pause),
    ("checkpoint best", .other("checkpoint best")), ("evaluate", .evaluate),
  ])
  func `another program's settings and commands are read as it declares them`(
    words: String, command: Command
  ) throws {
    let read = try Command(
      words: words, declared: Self.declared, obeyed: ["sample", "checkpoint", "pause", "set"])
    #expect(read == command)
    #expect(read.words == words)
  }

  @Test(arguments: [
    ("set grad_clip 9", "'9' is no value for grad_clip: give a number from 0 to 5"),
    ("set mode c", "'c' is no value for mode: give one of a, b"),
    ("set qk_layernorm on", "no setting 'qk_layernorm': m lists them"),
    ("sing", "no command 'sing': ? lists them"),
  ])
  func `what another program has not declared is no command of it`(words: String, reason: String) {
    #expect {
      try Command(words: words, declared: Self.declared, obeyed: ["sample"])
    } throws: { "\($0)" == reason }
  }
}
