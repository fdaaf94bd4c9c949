import Foundation
import Testing
import TestSupport

/// What goes wrong is one line on standard error, with the exit code of its kind, and nothing is
/// lost.
@Suite(.timeLimit(.minutes(15)))
struct BadInputTests {
  private static let tiny = ["--preset", "tiny", "--steps", "4", "--headless"]

  private func expect(
    _ status: Int32, _ text: String, from arguments: [String],
    prepare: (SeismoBinary) throws -> Void
  ) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try prepare(binary)
    let result = try binary.run(arguments)
    #expect(result.status == status, "\(arguments): \(result.error)")
    #expect(result.errorLines.count == 1, "\(result.error)")
    #expect(result.error.contains(text), "\(result.error)")
  }

  @Test(arguments: [
    (["nothing"], "nothing"),
    (["train", "--prest", "tiny"], "--preset"),
    (["train", "--preset", "huge", "--headless"], "give tiny, small, base, moe-tiny, moe-small"),
    (["train", "--lr=-1", "--headless"], "lr: give a number from 0 to 1000"),
    (["train", "--heads", "5", "--headless"], "5 heads do not divide a width of 64"),
    (["train", "--width", "6", "--heads", "2", "--headless"], "need an even head width"),
    (
      ["train", "--qk-clip", "100", "--qk-layernorm", "--headless"],
      "qk-clip has no effect under qk-layernorm"
    ),
    (
      ["train", "--qk-clip", "100", "--sigma-reparam", "--headless"],
      "qk-clip has no effect under sigma-reparam"
    ),
    (["train", "--preset", "tiny", "--moe-capacity", "1", "--headless"], "has no experts"),
    (["train", "--preset", "tiny", "--router", "sigmoid", "--headless"], "needs experts"),
    (
      ["train", "--optimizer", "muon", "--sharpness-every", "9", "--headless"],
      "not of muon's: leave --sharpness-every out"
    ),
    (
      ["train", "--optimizer", "lion", "--sharpness-every", "9", "--headless"],
      "not of lion's: leave --sharpness-every out"
    ),
    (
      ["train", "--optimizer", "lion", "--adam-beta2", "0.9", "--headless"],
      "adam-beta2 changes nothing, as lion keeps no second moments: leave it out"
    ),
    (
      ["train", "--share-parameters", "0.1", "--subspace", "9", "--headless"],
      "subspace needs matrices of their own"
    ),
    (
      ["train", "--sparsity", "0.5", "--optimizer", "mezo", "--headless"],
      "mezo moves weights that --sparsity leaves out"
    ),
    (["bench", "--preset", "huge"], "--preset huge: give one of tiny"),
    (["bench", "--sparsity", "1"], "--sparsity 1.0: give a number from 0 to 0.99"),
    (
      ["train", "--distil-temperature", "2", "--headless"],
      "distil-temperature needs a teacher: give its checkpoint with --distil"
    ),
    (["replay", "--speed", "0"], "--speed"),
    (["replay", "--size", "12", "--text"], "12"),
    (["replay", "--pane", "los", "--text"], "'los' is no value for --pane"),
    (["replay", "--pane", "loss"], "--pane: give --svg or --text too"),
  ])
  func `a wrong command line ends with 64`(arguments: [String], text: String) throws {
    try expect(64, text, from: arguments) { _ in }
  }

  @Test(arguments: [
    (["train", "--data", "absent.txt"] + tiny, "absent.txt"),
    (["train", "--data", "empty.txt"] + tiny, "empty.txt"),
    (["train", "--data", "short.txt"] + tiny, "short.txt"),
    (["train", "--config", "absent.toml"] + tiny, "absent.toml: no such file"),
    (["train", "--config", "wrong.toml"] + tiny, "wrong.toml: unknown key 'stepps'"),
    (["train", "--resume", "nowhere"] + tiny, "nowhere"),
    (["train", "--distil", "nowhere"] + tiny, "nowhere: no checkpoint there"),
    (["train", "--resume", "hollow"] + tiny, "hollow"),
    (["train", "--session", "foreign.seismo"] + tiny, "foreign.seismo exists"),
    (["replay", "absent.seismo", "--text"], "no session at absent.seismo"),
    (["replay", "foreign.seismo", "--text"], "foreign.seismo is no session of Seismo"),
    (["replay", "--text"], "no session in sessions/"),
    (["eval", "nowhere", "--data", "short.txt"], "nowhere"),
    (["eval", "nowhere"], "nowhere: no checkpoint there"),
  ])
  func `a file that cannot be used ends with 65 and is named`(arguments: [String], text: String)
    throws
  {
    try expect(65, text, from: arguments) { binary in
      try Data().write(to: binary.folder.appending(path: "empty.txt"))
      try Data("too short".utf8).write(to: binary.folder.appending(path: "short.txt"))
      try Data("stepps = 3\n".utf8).write(to: binary.folder.appending(path: "wrong.toml"))
      try Data("a poem, not a session".utf8).write(
        to: binary.folder.appending(path: "foreign.seismo"))
      try FileManager.default.createDirectory(
        at: binary.folder.appending(path: "hollow"), withIntermediateDirectories: true)
    }
  }

  @Test func `a command after the last step is told, and the run goes on`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let script = "[[at]]\nstep = 4\ncommand = \"set z_loss 1e-4\"\n"
    try Data(script.utf8).write(to: binary.folder.appending(path: "run.toml"))
    let result = try binary.run(["train", "--config", "run.toml"] + Self.tiny)
    #expect(result.status == 0)
    #expect(
      result.errorLines == [
        "seismo: 'set z_loss 0.0001' at step 4 will not be given: the last step is 3"
      ])
  }

  @Test func `a session that exists is left as it is`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let arguments = ["train", "--session", "a.seismo"] + Self.tiny
    #expect(try binary.run(arguments).status == 0)
    let before = try Data(contentsOf: binary.folder.appending(path: "a.seismo"))
    let result = try binary.run(arguments)
    #expect(result.status == 65)
    #expect(result.error.contains("a.seismo exists"))
    #expect(try Data(contentsOf: binary.folder.appending(path: "a.seismo")) == before)
  }

  @Test func `a checkpoint of another shape is refused with both shapes`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(try binary.run(["train", "--session", "a.seismo"] + Self.tiny).status == 0)
    let checkpoint = "a.checkpoints/step-000000004"
    let result = try binary.run([
      "train", "--resume", checkpoint, "--width", "32", "--steps", "8", "--headless",
    ])
    #expect(result.status == 64)
    #expect(result.error.contains("width 64") && result.error.contains("width 32"))
    let damaged = binary.folder.appending(path: checkpoint + "/model.safetensors")
    try Data("broken".utf8).write(to: damaged)
    let after = try binary.run(["train", "--resume", checkpoint, "--steps", "8", "--headless"])
    #expect(after.status == 65)
    #expect(after.error.contains("model.safetensors"))
    #expect(after.errorLines.count == 1)
  }

  @Test func `a theme with an error is refused where it was asked for, a warning elsewhere`() throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(try binary.run(["train", "--session", "a.seismo"] + Self.tiny).status == 0)
    let themes = binary.folder.appending(path: "themes")
    try FileManager.default.createDirectory(at: themes, withIntermediateDirectories: true)
    try Data("inherits = \"dark\"\nloss = \"#12\"\n".utf8).write(
      to: themes.appending(path: "broken.toml"))
    let asked = try binary.run(["replay", "a.seismo", "--text", "--theme", "broken"])
    #expect(asked.status == 65)
    #expect(asked.errorLines.count == 1)
    #expect(asked.error.contains("broken.toml") && asked.error.contains("line 2"))
    let unknown = try binary.run(["replay", "a.seismo", "--text", "--theme", "drak"])
    #expect(unknown.status == 64)
    let other = try binary.run(["replay", "a.seismo", "--text", "--theme", "light"])
    #expect(other.status == 0)
    #expect(other.error.contains("broken.toml"))
  }

  @Test func `two writers of one session: the second is refused by name, the first goes on`() throws
  {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    #expect(
      try binary.run(["train", "--session", "a.seismo"] + Self.tiny).status == 0)
    let first = binary.process([
      "train", "--headless", "--steps", "1000000", "--resume",
      "a.checkpoints/step-000000004",
    ])
    let output = Pipe()
    first.standardOutput = output
    first.standardError = FileHandle.nullDevice
    try first.run()
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    let second = try binary.run([
      "train", "--headless", "--steps", "9", "--resume", "a.checkpoints/step-000000004",
    ])
    #expect(second.status == 65)
    #expect(second.error.contains("a.seismo is being written by another process"))
    #expect(first.isRunning)
    first.terminate()
    first.waitForEnd()
    #expect(first.terminationStatus == 143)
  }
}
