import Foundation
import Models
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct CheckpointDamageTests {
  let folder: ScratchFolder
  let path: String
  let runFile: String

  init() throws {
    folder = try ScratchFolder()
    path = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: 0), step: 7, run: SavedState(),
      to: folder.path("run.checkpoints"))
    runFile = path + "/run.json"
  }

  private func replace(_ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: runFile, encoding: .utf8)
    try #require(text.contains(old))
    try text.replacingOccurrences(of: old, with: new)
      .write(toFile: runFile, atomically: true, encoding: .utf8)
  }

  private func refusal() -> CheckpointError? {
    #expect(throws: CheckpointError.self) { try CheckpointFolder.read(path) }
  }

  @Test func `what is not there is missing`() {
    let absent = folder.path("absent")
    #expect(throws: CheckpointError.missing(path: absent)) { try CheckpointFolder.read(absent) }
  }

  @Test func `what is something else is foreign`() throws {
    let file = try folder.write([1], to: "a.seismo")
    #expect(throws: CheckpointError.foreign(path: file, found: "a file, not a folder")) {
      try CheckpointFolder.read(file)
    }
    try FileManager.default.removeItem(atPath: runFile)
    #expect(refusal() == .foreign(path: path, found: "it has no run.json"))
    try folder.write(
      Array(#"{"format":"other","version":9}"#.utf8), to: "run.checkpoints/step-000000007/run.json")
    #expect(refusal() == .foreign(path: runFile, found: #"its format is "other""#))
  }

  @Test func `a newer format is refused by its number`() throws {
    try replace("\"version\" : 1", "\"version\" : 2")
    #expect(refusal() == .newer(path: runFile, version: 2, supported: 1))
  }

  @Test func `a tensor of another shape is named with both shapes`() throws {
    try replace("\"width\" : 8", "\"width\" : 16")
    #expect(
      refusal()
        == .tensorUnfit(
          path: path + "/model.safetensors", tensor: "model.embed_tokens.weight",
          expected: "F32 [256, 16]", found: "F32 [256, 8]"))
  }

  @Test func `a tensor that is not there is named`() throws {
    try replace("\"layers\" : 2", "\"layers\" : 3")
    #expect(
      refusal()
        == .tensorMissing(
          path: path + "/model.safetensors", tensor: "model.layers.2.input_layernorm.weight"))
  }

  @Test func `a model file without a tensor is damaged`() throws {
    try writeSafetensors([], to: path + "/model.safetensors")
    #expect(
      refusal()
        == .damaged(
          path: runFile, offset: nil, expected: "a step and sizes a model can have",
          found: "step 7, width 8, 2 layers, 2 heads, context 5, 256 tokens, qk-layernorm 0.0"))
  }

  @Test func `a file of the checkpoint that is not there is named`() throws {
    try FileManager.default.removeItem(atPath: path + "/optimizer.safetensors")
    #expect(refusal() == .missing(path: path + "/optimizer.safetensors"))
  }

  @Test(
    arguments: [
      ("\"heads\" : 2", "\"heads\" : 3"), ("\"heads\" : 2", "\"heads\" : 0"),
      ("\"layers\" : 2", "\"layers\" : 9223372036854775807"), ("\"step\" : 7", "\"step\" : -7"),
      ("\"layers\" : 2", "\"layers\" : 29"), ("\"vocabulary\" : 256", "\"vocabulary\" : 0"),
      ("\"qk_layernorm_weight\" : 0", "\"qk_layernorm_weight\" : \"NaN\""),
    ])
  func `sizes no model can have are refused before anything is made of them`(
    old: String, new: String
  ) throws {
    try replace(old, new)
    guard case .damaged(runFile, nil, "a step and sizes a model can have", _) = refusal() else {
      Issue.record("not refused as damaged")
      return
    }
  }

  @Test func `the key that is wrong is named`() throws {
    try replace("\"heads\" : 2", "\"heads\" : \"two\"")
    #expect(
      refusal()
        == .damaged(
          path: runFile, offset: nil, expected: "a run's description in JSON",
          found: "another type at model.heads"))
  }

  @Test func `a run's state of another kind is damaged, not believed`() throws {
    struct OtherState: Codable {
      var momentum: Double
    }
    let checkpoint = try CheckpointFolder.read(path)
    #expect(
      throws: CheckpointError.damaged(
        path: runFile, offset: nil, expected: "a run's state", found: "no run.momentum")
    ) { try checkpoint.run(as: OtherState.self) }
  }

  @Test func `run.json cut at any byte is damaged`() throws {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: runFile)))
    for length in 0..<(whole.count - 2) {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: runFile))
      guard case .damaged = refusal() else {
        Issue.record("cut at \(length)")
        continue
      }
    }
  }

  @Test func `a bit flipped anywhere in run.json never crashes`() throws {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: runFile)))
    var refused = 0
    for index in whole.indices {
      var flipped = whole
      flipped[index] ^= 1 << UInt8(index % 8)
      try Data(flipped).write(to: URL(fileURLWithPath: runFile))
      do {
        _ = try CheckpointFolder.read(path).run(as: SavedState.self)
      } catch {
        refused += 1
      }
    }
    #expect(refused > whole.count / 4)
  }

  @Test func `an error is one line that says what, where and what to do`() {
    let errors: [CheckpointError] = [
      .missing(path: "c"), .unreadable(path: "c", reason: "permission denied"),
      .foreign(path: "c", found: "it has no run.json"),
      .newer(path: "c/run.json", version: 2, supported: 1),
      .damaged(path: "c/m", offset: 8, expected: "{", found: "["),
      .damaged(path: "c/m", offset: nil, expected: "a run's state", found: "no JSON"),
      .tensorMissing(path: "c/m", tensor: "lm_head.weight"),
      .tensorUnfit(
        path: "c/m", tensor: "lm_head.weight", expected: "F32 [256, 8]", found: "F32 [256, 16]"),
      .unwritable(path: "c", reason: "no space left on device"),
    ]
    let lines = [
      "c: no checkpoint there; give the path of a folder step-000000000 or of the folder that "
        + "holds such folders",
      "c: cannot be read (permission denied); give a checkpoint this account may read",
      "c: not a checkpoint of Seismo (it has no run.json); give a folder that Seismo has written",
      "c/run.json: written by a newer Seismo (format 2, this one reads up to 1); use that version",
      "c/m: damaged at byte 8, expected {, found [; use another checkpoint",
      "c/m: damaged, expected a run's state, found no JSON; use another checkpoint",
      "c/m: has no tensor lm_head.weight; use a checkpoint of a model of this kind and size",
      "c/m: lm_head.weight should be F32 [256, 8] and is F32 [256, 16]; "
        + "use a checkpoint of a model of this kind and size",
      "c: cannot be written (no space left on device); free space or choose another place",
    ]
    #expect(errors.map(\.description) == lines)
  }
}
