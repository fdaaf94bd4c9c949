import Foundation
import Kernels
import Models
import Testing

@testable import Training

/// What a `config.json` says, against what transformers makes of it.
@Suite(.timeLimit(.minutes(15)))
struct HuggingFaceDescriptionTests {
  private static let recorded = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Recorded")

  private static func object(_ path: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(contentsOf: recorded.appending(path: path)))
  }

  /// The recorded model's description without `removed` and with `members`.
  private static func json(
    _ name: String, with members: [String: Any], without removed: [String] = []
  ) throws -> Data {
    var all = try #require(try object(name + "/config.json") as? [String: Any])
    for key in removed { all[key] = nil }
    return try JSONSerialization.data(withJSONObject: all.merging(members) { $1 })
  }

  private static func value(_ words: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(words.utf8), options: .fragmentsAllowed)
  }

  private static func read(_ json: Data) throws -> ModelConfiguration {
    try huggingFaceDescription(json, path: "folder").configuration
  }

  @Test func `positions turn as transformers has them turn, or the model is refused`() throws {
    let cases = try #require(try Self.object("rotations.json") as? [[String: Any]])
    #expect(cases.count > 40)
    for rotation in cases {
      let family = try #require(rotation["family"] as? String)
      let given = try #require(rotation["given"] as? [String: Any])
      let kind = try #require(rotation["kind"] as? String)
      let json = try Self.json(family, with: given, without: ["rope_parameters"])
      if kind == "default", rotation["share"] as? Double == 1 {
        #expect(try Self.read(json).rotaryBase == rotation["base"] as? Double, "\(given)")
        continue
      }
      let error = #expect(throws: CheckpointError.self, "\(given)") { try Self.read(json) }
      let flaw = kind == "default" ? "a share of 0.5" : "in the way \(kind)"
      #expect("\(try #require(error))".contains(flaw), "\(given)")
    }
  }

  @Test(arguments: [
    ("llama", "partial_rotary_factor", "0.5", "a share of 0.5"),
    ("llama", "hidden_size", "12", "heads of width 4, not 3"),
    ("persimmon", "head_dim", "8", "heads of width 8, not 4"),
    ("persimmon", "hidden_size", "6", "its heads have 3 of them"),
    ("llama", "rope_scaling", "{\"rope_theta\": 0}", "by base 0.0"),
    ("gpt2", "is_causal", "false", "see later ones"),
    ("llama", "is_causal", "false", "see later ones"),
    ("persimmon", "is_causal", "false", "see later ones"),
    ("llama", "per_layer_config", "{\"0\": {\"rms_norm_eps\": 0.5}}", "per_layer_config"),
    ("llama", "quantization_config", "{\"quant_method\": \"fp8\"}", "quantised"),
    ("gpt2", "scale_attn_by_inverse_layer_idx", "true", "not scaled"),
    ("gpt2", "activation_function", "\"quick_gelu\"", "its activation is quick_gelu"),
    ("gpt2", "vocab_size", "0", "a vocabulary of 0 tokens"),
    ("llama", "vocab_size", "-1", "a vocabulary of -1 tokens"),
    ("llama", "vocab_size", "65537", "65537 tokens, more than the 65536"),
    ("gpt2", "n_inner", "0", "width 8 in 2 heads"),
  ])
  func `what changes the outputs and is not read is refused by name`(
    name: String, key: String, value: String, flaw: String
  ) throws {
    let member = try Self.value(value)
    let json = try Self.json(name, with: [key: member])
    let error = #expect(throws: CheckpointError.self) { try Self.read(json) }
    let line = "\(try #require(error))"
    #expect(line.contains(flaw) && !line.contains("\n"), "\(line)")
  }

  /// Those that transformers ignores, or computes the same with.
  @Test(arguments: [
    ("gpt2", "activation_function", "\"gelu_fast\""), ("gpt2", "intermediate_size", "20"),
    ("gpt2", "reorder_and_upcast_attn", "true"), ("gpt2", "add_cross_attention", "true"),
    ("gpt2", "rope_scaling", "{\"type\": \"linear\", \"factor\": 4.0}"),
    ("gpt2", "is_causal", "true"), ("gpt2", "attn_pdrop", "0.5"),
    ("llama", "hidden_act", "\"swish\""), ("llama", "n_inner", "20"),
    ("llama", "quantization_config", "null"), ("llama", "per_layer_config", "{}"),
    ("llama", "head_dim", "null"), ("llama", "pretraining_tp", "2"),
    ("persimmon", "hidden_act", "\"gelu_new\""), ("persimmon", "num_key_value_heads", "1"),
  ])
  func `what changes no output changes nothing`(name: String, key: String, value: String) throws {
    let member = try Self.value(value)
    let changed = try Self.read(Self.json(name, with: [key: member]))
    #expect(try changed == Self.read(Self.json(name, with: [:])))
  }

  @Test func `two tables in a file are two tables, and one written twice is one`() throws {
    for (removed, expected) in [([], false), (["tie_word_embeddings"], false)] {
      let folder = try Self.copy(
        "gpt2-untied", json: Self.json("gpt2-untied", with: [:], without: removed))
      defer { try? FileManager.default.removeItem(at: folder) }
      #expect(try BaseModel(path: folder.path).configuration.isTied == expected)
    }
    for change in [0, 1] as [UInt8] {
      let folder = try Self.copy("gpt2", json: Self.json("gpt2", with: [:]))
      defer { try? FileManager.default.removeItem(at: folder) }
      let file = folder.appending(path: "model.safetensors")
      try Self.withHead(Data(contentsOf: file), changing: change).write(to: file)
      let base = try BaseModel(path: folder.path)
      #expect(base.configuration.isTied == (change == 0))
      let layout = ParameterLayout(base.configuration)
      try base.load(layout.tensors, into: FloatBuffer(count: layout.count))
    }
  }

  private static func copy(_ name: String, json: Data) throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "seismo-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: recorded.appending(path: name), to: folder)
    try json.write(to: folder.appending(path: "config.json"))
    return folder
  }

  /// The file with its embedding's table once more as an unembedding, whose last byte but one is changed.
  private static func withHead(_ file: Data, changing change: UInt8) throws -> Data {
    let length = file.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let numbers = file.dropFirst(8 + length)
    var header = try #require(
      try JSONSerialization.jsonObject(with: file.dropFirst(8).prefix(length)) as? [String: Any])
    var tensor = try #require(header["transformer.wte.weight"] as? [String: Any])
    let place = try #require(tensor["data_offsets"] as? [Int])
    var table = Data(numbers.dropFirst(place[0]).prefix(place[1] - place[0]))
    table[table.count - 2] ^= change
    tensor["data_offsets"] = [numbers.count, numbers.count + table.count]
    header["lm_head.weight"] = tensor
    let words = try JSONSerialization.data(withJSONObject: header)
    let size = (0..<8).map { UInt8(words.count >> (8 * $0) & 255) }
    return Data(size) + words + numbers + table
  }
}
