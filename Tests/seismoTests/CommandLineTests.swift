import ArgumentParser
import Foundation
import Testing
import Training

@testable import seismo

/// What is typed wrong is answered with what was probably meant, or with the right reason.
@Suite(.timeLimit(.minutes(15)))
struct CommandLineTests {
  private func expect(
    _ status: Int32, _ lines: [String], from arguments: [String],
    prepare: (SeismoBinary) throws -> Void = { _ in }
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try prepare(binary)
    let result = try binary.run(arguments)
    #expect(result.status == status, "\(arguments): \(result.error)")
    #expect(result.errorLines == lines.map { "seismo: \($0)" }, "\(arguments)")
  }

  @Test(arguments: [
    (["trian"], "no command 'trian': did you mean 'seismo train'?"),
    (["trian", "--preset", "tiny"], "no command 'trian': did you mean 'seismo train'?"),
    (["session"], "no command 'session': did you mean 'seismo sessions'?"),
    (["sesions", "rename", "a", "b"], "no command 'sesions': did you mean 'seismo sessions'?"),
    (["poem"], "no command 'poem'; 'seismo --help' says more"),
    (
      ["sessions", "renam", "a.seismo", "b"],
      "no command 'renam': did you mean 'seismo sessions rename'?"
    ),
    (["--preset", "tiny"], "--preset needs a command: did you mean 'seismo train --preset'?"),
    (["--headless"], "--headless needs a command: did you mean 'seismo train --headless'?"),
  ])
  func `a command that is misspelt is suggested`(arguments: [String], line: String) throws {
    try expect(64, [line], from: arguments)
  }

  @Test(arguments: [
    (["train", "--lerning-rate", "1"], "--lerning-rate of seismo train: did you mean '--lr'?"),
    (["train", "--presett", "tiny"], "--presett of seismo train: did you mean '--preset'?"),
    (["train", "--presett=tiny"], "--presett of seismo train: did you mean '--preset'?"),
    (["train", "-lr", "1"], "-lr of seismo train: did you mean '--lr'?"),
    (
      ["train", "--lr", "1", "--batch-size", "4"],
      "--batch-size of seismo train: did you mean '--batch'?"
    ),
    (["replay", "a", "--sise", "80x24"], "--sise of seismo replay: did you mean '--size'?"),
    (["sessions", "--sortt", "loss"], "--sortt of seismo sessions: did you mean '--sort'?"),
    (["doctor", "--xy"], "--xy of seismo doctor; 'seismo doctor --help' says more"),
  ])
  func `an option that is misspelt is suggested`(arguments: [String], line: String) throws {
    try expect(64, ["no option " + line], from: arguments)
  }

  @Test func `what other trainers call an option is no option here, and leads to one`() {
    for (name, option) in RunOptionCatalog.namesElsewhere {
      #expect(RunOptionCatalog.option(name) == nil)
      #expect(RunOptionCatalog.option(option) != nil, "\(option)")
    }
  }

  /// A number below zero begins like an option; it is a value, and is told as one.
  @Test(arguments: [
    (["train", "--lr", "-1"], "'-1' is no value for lr: give a number from 0 to 1000"),
    (["train", "--lr", "-.5e-3"], "'-.5e-3' is no value for lr: give a number from 0 to 1000"),
    (["train", "--lr", "-inf"], "'-inf' is no value for lr: give a number from 0 to 1000"),
    (["replay", "a", "--at", "-5"], "--at -5: give a step from 0"),
    (["replay", "a", "--speed", "-1"], "--speed -1.0: give a number above 0, up to 100000"),
    (["bench", "--width", "-8"], "--width -8: give a whole number from 1 to 8192"),
    (["bench", "--steps", "-1"], "--steps -1: give at least 4"),
    (["reproduce", "a", "--workers", "-1"], "--workers -1: give a whole number from 1 to 256"),
    (["control", "--timeout", "-1", "a", "stop"], "--timeout -1: give seconds from 1 to 86400"),
    (
      ["control", "a", "set", "lr.multiplier", "-1"],
      "'-1' is no value for lr.multiplier: give a number from 0 to 1000"
    ),
    (
      ["replay", "a", "--size", "-1x5"],
      "'-1x5' is no value for --size: give columns and rows from 1x1 to 1000x1000,"
        + " such as 120x40"
    ),
    (
      ["train", "--json", "-1"],
      "The option '--json' does not take any value, but '-1' was specified.;"
        + " 'seismo --help' says more"
    ),
  ])
  func `a value below zero is told as a value`(arguments: [String], line: String) throws {
    try expect(64, [line], from: arguments)
  }

  @Test(arguments: [
    (["export", "a", "--format", "tsv"], "--format: give csv, json, tfevents, svg, html"),
    (["sessions", "--sort", "nope"], "--sort: give loss, steps, date, size, name"),
    (
      ["replay", "a", "--pane", "nope"],
      "--pane: give " + PaneName.allValueStrings.joined(separator: ", ")
    ),
    (
      ["replay", "a", "--at", "x"],
      "--at: the step to show (default: the beginning to play, the end to print)"
    ),
  ])
  func `a value that is none is told with what may be given`(
    arguments: [String], line: String
  ) throws {
    try expect(64, ["'\(arguments.last ?? "")' is no value for \(line)"], from: arguments)
  }

  @Test func `every number of a run is refused below zero with its range`() throws {
    for option in RunOptionCatalog.all {
      switch option.kind {
      case .count, .number:
        let words = CommandLineWords.readable(["--\(option.name)", "-3"])
        let given = try RunOptions.parse(words).given
        #expect(given == [option.name: "-3"])
        #expect(option.refusal(of: "-3") != nil, "\(option.name)")
      case .flag, .choice, .counts, .text: continue
      }
    }
  }

  @Test(arguments: ["5000x3000", "0x0", "80", "80x", "x", "1001x1", "80x24x2"])
  func `a size that cannot be drawn is refused with what can`(size: String) throws {
    try expect(
      64,
      [
        "'\(size)' is no value for --size: give columns and rows from 1x1 to"
          + " 1000x1000, such as 120x40"
      ], from: ["replay", "a", "--text", "--size", size])
  }

  @Test(arguments: [
    ["replay", "folder", "--text"], ["export", "folder", "--format", "csv"],
    ["reproduce", "folder"], ["compare", "folder", "folder"],
    ["control", "folder", "pause"], ["sessions", "rename", "folder", "other"],
    ["sessions", "delete", "folder", "--yes"], ["sessions", "note", "folder", "hello"],
    ["ingest", "--session", "folder"],
  ])
  func `a folder is no session, and stays as it is`(arguments: [String]) throws {
    try expect(
      65, ["folder is no session of Seismo but a folder: give a .seismo file"], from: arguments
    ) { binary in
      try FileManager.default.createDirectory(
        at: binary.folder.appending(path: "folder/within"), withIntermediateDirectories: true)
    }
  }

  @Test(arguments: ["runs/new.jsonl", "out.log", "metrics.csv"])
  func `of a log that is not there it is told how to wait for it`(name: String) throws {
    try expect(
      65, ["no file \(name): --wait waits for one that is still to come"], from: ["watch", name])
  }

  @Test func `of a folder that is not there it is told how to wait for it`() throws {
    try expect(
      65, ["no folder runs/: --wait waits for one that is still to come"], from: ["watch", "runs/"])
  }

  @Test func `a folder without logs is not watched, and what it could hold is told`() throws {
    try expect(
      65,
      [
        "no records in folder: give a folder with event files, .wandb files, metrics.csv or "
          + "trainer_state.json"
      ], from: ["watch", "folder"]
    ) { binary in
      try FileManager.default.createDirectory(
        at: binary.folder.appending(path: "folder/within"), withIntermediateDirectories: true)
    }
  }

  @Test(arguments: [
    (
      ["train", "--session", "folder"],
      "folder is a folder: name a file with --session, such as folder/run.seismo"
    ),
    (["train", "--config", "folder"], "folder: a folder: name a file in it with --config"),
    (["train", "--config", "absent"], "absent: no such file: check --config"),
    (["alarms", "--config", "folder"], "folder: a folder: name a file in it with --config"),
    (["train", "--theme", "no.toml", "--headless"], "no.toml: no such file: check --theme"),
    (["sessions", "file"], "file is a file: name the folder that holds it"),
    (["sessions", "absent"], "no folder absent: name one that holds sessions"),
  ])
  func `a path of another kind is named with what to give`(arguments: [String], line: String) throws
  {
    try expect(65, [line], from: arguments) { binary in
      try FileManager.default.createDirectory(
        at: binary.folder.appending(path: "folder"), withIntermediateDirectories: true)
      try Data("text".utf8).write(to: binary.folder.appending(path: "file"))
    }
  }

  @Test(arguments: ["train", "bench"])
  func `help lists the values of every choice`(command: String) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let words = try binary.run([command, "--help"]).output.split(whereSeparator: \.isWhitespace)
    let help = words.joined(separator: " ")
    for option in RunOptionCatalog.all where command == "train" || option.name == "preset" {
      guard case .choice(let values) = option.kind else { continue }
      #expect(help.contains(": " + values.joined(separator: ", ")), "--\(option.name)")
    }
  }
}
