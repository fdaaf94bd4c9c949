import Foundation
import TestSupport
import Testing
import Training

@testable import Inspection

/// Files of any model: whole, in shards, and broken in every way.
@Suite(.timeLimit(.minutes(15)))
struct TensorFilesTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func shard(_ name: String, _ tensor: String) throws {
    _ = try folder.write([StoredTensor(tensor, [2], [1, 2])], to: name)
  }

  private func line(_ path: String) throws -> String {
    let error = #expect(throws: (any Error).self) { try survey(path) }
    let line = error.map { "\($0)" } ?? ""
    #expect(!line.contains("\n"))
    return line.replacing(folder.url.path + "/", with: "")
  }

  @Test func `a folder with an index gives all shards in their order`() throws {
    try shard("model-00001-of-00002.safetensors", "b")
    try shard("model-00002-of-00002.safetensors", "a")
    try folder.write(
      #"{"metadata":{"total_size":16},"weight_map":{"a":"model-00002-of-00002.safetensors","#
        + #""b":"model-00001-of-00002.safetensors"}}"#, to: "model.safetensors.index.json")
    for path in [folder.url.path, folder.path("model.safetensors.index.json")] {
      #expect(try survey(path).map(\.name) == ["b", "a"])
    }
  }

  /// As transformers loads such a folder, and `finetune` begins with it.
  @Test func `a file with all of a model comes before shards that lie beside it`() throws {
    try shard("model-00001-of-00001.safetensors", "old")
    try folder.write(
      #"{"weight_map":{"old":"model-00001-of-00001.safetensors"}}"#,
      to: "model.safetensors.index.json")
    try shard("model.safetensors", "new")
    #expect(try survey(folder.url.path).map(\.name) == ["new"])
    #expect(try survey(folder.path("model.safetensors.index.json")).map(\.name) == ["old"])
  }

  @Test func `shards without an index are all there or one is named`() throws {
    try shard("m-00001-of-00002.safetensors", "a")
    #expect(
      try line(folder.url.path).hasSuffix(
        ": its shard m-00002-of-00002.safetensors is not there; get the whole model"))
    try shard("m-00002-of-00002.safetensors", "a")
    #expect(
      try line(folder.url.path)
        == "m-00002-of-00002.safetensors: a is in \(folder.url.path)/m-00001-of-00002.safetensors"
        .replacing(folder.url.path + "/", with: "")
        + " too; take away the file that is not of this model")
    try shard("m-00002-of-00002.safetensors", "b")
    #expect(try survey(folder.url.path).map(\.name) == ["a", "b"])
  }

  @Test func `an index that is wrong says in one line what it lacks`() throws {
    let name = "model.safetensors.index.json"
    try shard("one.safetensors", "a")
    try folder.write(#"{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}"#, to: name)
    #expect(
      try line(folder.path(name))
        == "\(name): its shard two.safetensors is not there; get the whole model")
    try folder.write(#"{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}"#, to: name)
    #expect(
      try line(folder.path(name))
        == "\(name): b should be in one.safetensors and is not; get index and shards of one model")
    for (text, reason) in [
      ("{", "it is no JSON"), ("{}", "it has no weight_map"),
      (#"{"weight_map":{}}"#, "it has no weight_map"),
      (#"{"weight_map":{"a":"../x"}}"#, "a is in no file"),
      (#"{"weight_map":{"a":3}}"#, "a is in no file"),
    ] {
      try folder.write(text, to: name)
      #expect(
        try line(folder.path(name))
          == "\(name): not an index of shards (\(reason)); get the file again")
    }
  }

  @Test func `what is no model says so`() throws {
    #expect(
      try line(folder.path("absent"))
        == "absent: nothing is there; give a safetensors file, or a folder with one")
    #expect(try line(folder.url.path).contains(": holds no safetensors file; give the file"))
    for text in ["", "hello", "this is a text of more than eight bytes"] {
      try folder.write(text, to: "text")
      #expect(
        try line(folder.path("text"))
          == "text: not a safetensors file; give one, or a folder with one")
    }
  }

  @Test func `a header or numbers that are cut, and offsets that overlap, are damage in one line`()
    throws
  {
    let path = try folder.write([StoredTensor("a", [2, 2], [1, 2, 3, 4])], to: "a.safetensors")
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    for length in [9, 20, whole.count - 17, whole.count - 16, whole.count - 1] {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
      let line = try line(path)
      #expect(line.hasPrefix("a.safetensors: damaged at byte"), "cut at \(length): \(line)")
    }
    let header =
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#
    let overlapping = try folder.write(
      header: header, [UInt8](repeating: 0, count: 12), "o.safetensors")
    #expect(try line(overlapping).contains("expected b to begin at 8, found 4"))
  }
}
