import Foundation
import Glibc
import Kernels
import Models
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct CheckpointFolderTests {
  let folder: ScratchFolder
  let parent: String

  init() throws {
    folder = try ScratchFolder()
    parent = folder.path("run.checkpoints")
  }

  private func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  @Test(arguments: [ModelConfiguration.dense, .mixture], [0, 0.37, 1] as [Float])
  func `everything comes back bit for bit`(model: ModelConfiguration, weight: Float) throws {
    let contents = CheckpointContents(model, qkLayerNormWeight: weight)
    let path = try CheckpointFolder.write(contents, step: 12_400, run: SavedState(), to: parent)
    #expect(path == parent + "/step-000012400")
    let checkpoint = try CheckpointFolder.read(path)
    #expect(checkpoint.step == 12_400)
    #expect(checkpoint.configuration == model)
    #expect(checkpoint.qkLayerNormWeight == weight)
    #expect(try checkpoint.run(as: SavedState.self) == SavedState())
    let buffers = (0..<3).map { _ in FloatBuffer(count: checkpoint.layout.count) }
    try checkpoint.load(parameters: buffers[0])
    try checkpoint.load(firstMoments: buffers[1], secondMoments: buffers[2])
    let written = [contents.parameters, contents.firstMoments, contents.secondMoments]
    #expect(buffers.map(bits) == written.map(bits))
  }

  @Test func `a dense checkpoint holds what Hugging Face's Persimmon has, with zero biases`() throws
  {
    let path = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: 1), step: 0, run: SavedState(), to: parent)
    #expect(
      try names(path) == ["config.json", "model.safetensors", "optimizer.safetensors", "run.json"])
    let parts = [
      "input_layernorm", "mlp.dense_4h_to_h", "mlp.dense_h_to_4h", "post_attention_layernorm",
      "self_attn.dense", "self_attn.k_layernorm", "self_attn.q_layernorm",
      "self_attn.query_key_value",
    ]
    let inLayers = (0..<2).flatMap { layer in
      parts.flatMap { ["model.layers.\(layer).\($0).bias", "model.layers.\(layer).\($0).weight"] }
    }
    let outside = [
      "lm_head.weight", "model.embed_tokens.weight", "model.final_layernorm.bias",
      "model.final_layernorm.weight",
    ]
    let file = try SafetensorsFile(path: path + "/model.safetensors")
    #expect(file.names == (inLayers + outside).sorted())
    var bias = [Float](repeating: 1, count: 24)
    try bias.withUnsafeMutableBufferPointer {
      try file.read("model.layers.1.self_attn.query_key_value.bias", shape: [24], into: $0)
    }
    #expect(bias == [Float](repeating: 0, count: 24))
  }

  @Test func `with qk-layernorm off Hugging Face finds no gains of it`() throws {
    let path = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: 0), step: 0, run: SavedState(), to: parent)
    let names = try SafetensorsFile(path: path + "/model.safetensors").names
    #expect(names.count == 4 + 2 * 12)
    #expect(!names.contains { $0.contains("q_layernorm") || $0.contains("k_layernorm") })
  }

  @Test(arguments: [(0, "false"), (1, "true")] as [(Float, String)])
  func `config.json says what the model is`(weight: Float, qkLayerNorm: String) throws {
    let path = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: weight), step: 0, run: SavedState(), to: parent)
    let text = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    let expected = """
      {
        "architectures": ["PersimmonForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": null,
        "dtype": "float32",
        "eos_token_id": null,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_dropout": 0.0,
        "hidden_size": 8,
        "intermediate_size": 32,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 5,
        "model_type": "persimmon",
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "pad_token_id": null,
        "partial_rotary_factor": 1.0,
        "qk_layernorm": \(qkLayerNorm),
        "rope_parameters": {"partial_rotary_factor": 1.0, "rope_theta": 10000.0, "rope_type": "default"},
        "rope_theta": 10000.0,
        "tie_word_embeddings": false,
        "torch_dtype": "float32",
        "use_cache": true,
        "vocab_size": 256
      }

      """
    #expect(text == expected)
  }

  @Test(
    arguments: [(ModelConfiguration.mixture, 0), (.dense, 0.5)] as [(ModelConfiguration, Float)])
  func `a model Hugging Face cannot express gets no config.json`(
    model: ModelConfiguration, weight: Float
  ) throws {
    let path = try CheckpointFolder.write(
      CheckpointContents(model, qkLayerNormWeight: weight), step: 3, run: SavedState(), to: parent)
    #expect(try names(path) == ["model.safetensors", "optimizer.safetensors", "run.json"])
  }

  @Test func `one of the same step is replaced and the others stay`() throws {
    for seed in [1, 2, 3] as [UInt64] {
      _ = try CheckpointFolder.write(
        CheckpointContents(.dense, qkLayerNormWeight: 0, seed: seed), step: seed == 2 ? 9 : 5,
        run: SavedState(seed: seed), to: parent)
    }
    #expect(try names(parent) == ["step-000000005", "step-000000009"])
    #expect(
      try CheckpointFolder.read(parent + "/step-000000005").run(as: SavedState.self).seed == 3)
    #expect(
      try CheckpointFolder.read(parent + "/step-000000009").run(as: SavedState.self).seed == 2)
  }

  @Test func `checkpoints are listed by step, and the folder stands for the latest`() throws {
    #expect(try CheckpointFolder.list(in: parent).isEmpty)
    #expect(try CheckpointFolder.latest(in: parent) == nil)
    for step in [2_000_000_000, 100, 20] {
      _ = try CheckpointFolder.write(
        CheckpointContents(.dense, qkLayerNormWeight: 0), step: step, run: SavedState(), to: parent)
    }
    for other in ["step-7", "step-00000000x", "notes", ".step-000000001.partial-1"] {
      try FileManager.default.createDirectory(
        atPath: parent + "/" + other, withIntermediateDirectories: true)
    }
    #expect(try CheckpointFolder.list(in: parent).map(\.step) == [20, 100, 2_000_000_000])
    #expect(
      try CheckpointFolder.latest(in: parent)
        == CheckpointFolder.Entry(step: 2_000_000_000, path: parent + "/step-2000000000"))
    #expect(try CheckpointFolder.read(parent).step == 2_000_000_000)
    #expect(try CheckpointFolder.read(parent + "/").path == parent + "/step-2000000000")
  }

  @Test func `what killed writers left is removed, a living writer's folder is not`() throws {
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try folder.write([1], to: "run.checkpoints/.step-000000001.partial-99/model.safetensors")
    try folder.write([1], to: "run.checkpoints/.step-000000002.partial-\(getpid())/run.json")
    try folder.write([1], to: "run.checkpoints/.step-000000003.replaced-99/run.json")
    try folder.write([1], to: "run.checkpoints/.step-000000004.replaced-99/run.json")
    try folder.write([1], to: "run.checkpoints/step-000000004/run.json")
    let living = try SideFolder(parent: parent, name: "step-000000006")
    _ = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: 0), step: 2, run: SavedState(), to: parent)
    #expect(
      try names(parent) == [
        ".step-000000006.partial-\(getpid())", "step-000000002", "step-000000003",
        "step-000000004",
      ])
    living.remove()
  }

  @Test func `a disk that fills up leaves the earlier checkpoint and nothing else`() throws {
    let contents = CheckpointContents(.dense, qkLayerNormWeight: 0)
    _ = try CheckpointFolder.write(contents, step: 5, run: SavedState(seed: 1), to: parent)
    let side = try SideFolder(parent: parent, name: "step-000000005")
    let optimizer = side.path + "/optimizer.safetensors"
    try FileManager.default.createSymbolicLink(
      atPath: optimizer, withDestinationPath: "/dev/full")
    #expect(
      throws: CheckpointError.unwritable(path: optimizer, reason: "no space left on device")
    ) { try CheckpointFolder.fill(side, with: contents, runFile: []) }
    #expect(try names(parent) == ["step-000000005"])
    #expect(try CheckpointFolder.read(parent).run(as: SavedState.self).seed == 1)
  }

  @Test func `a place that cannot be written is named`() throws {
    let file = try folder.write([1], to: "file")
    let contents = CheckpointContents(.dense, qkLayerNormWeight: 0)
    #expect(
      throws: CheckpointError.unwritable(path: file + "/below", reason: "not a directory")
    ) { try CheckpointFolder.write(contents, step: 0, run: SavedState(), to: file + "/below") }
    #expect(
      throws: CheckpointError.unwritable(
        path: file + "/.step-000000000.partial-\(getpid())", reason: "not a directory")
    ) { try CheckpointFolder.write(contents, step: 0, run: SavedState(), to: file) }
  }

  @Test func `folders above are made`() throws {
    let deep = folder.path("a/b/c.checkpoints")
    _ = try CheckpointFolder.write(
      CheckpointContents(.dense, qkLayerNormWeight: 0), step: 1, run: SavedState(), to: deep)
    #expect(try CheckpointFolder.read(deep).step == 1)
  }
}
