import Foundation
package import Kernels
package import Models

/// A folder with an adapter in PEFT's form: `adapter_config.json` and `adapter_model.safetensors`.
///
/// - Source: the names are those of PEFT 0.13 and later (github.com/huggingface/peft).
package struct AdapterFolder: Sendable {
  package let path: String
  package let configuration: AdapterConfiguration
  private let model: SafetensorsFile

  /// Opens one that PEFT or Seismo has written, which may lie in the folder of a checkpoint, or of a run's
  /// newest.
  /// - Throws: `noAdapter`, `unreadable`, `damaged`, `otherAdapter`.
  package init(path: String) throws(CheckpointError) {
    let newest = try? CheckpointFolder.latest(in: path)
    let folders = [path, newest?.path ?? path].flatMap { [$0, $0 + "/adapter"] }
    let found = folders.lazy.compactMap { folder in
      FileManager.default.contents(atPath: Self.description(in: folder)).map { (folder, $0) }
    }.first
    guard let (path, json) = found else { throw .noAdapter(path: path) }
    let file = Self.description(in: path)
    guard let description = try? JSONDecoder().decode(PEFTDescription.self, from: json) else {
      throw .damaged(
        path: file, offset: nil, expected: "PEFT's description in JSON", found: "something else")
    }
    guard let configuration = description.configuration else {
      throw .otherAdapter(path: path, found: description.flaw)
    }
    self.path = path
    self.configuration = configuration
    model = try SafetensorsFile(path: Self.weights(in: path))
  }

  /// The options of a run that begins with it, by long name.
  package var options: [String: String] {
    [
      "method": configuration.method.rawValue, "rank": "\(configuration.rank)",
      "alpha": "\(configuration.alpha)",
    ]
  }

  /// What is given for the same options otherwise than it has it, in words; nil for nothing.
  package func contradiction(of given: [String: String]) -> String? {
    let own = configuration
    if let method = given["method"], method != own.method.rawValue {
      return "\(path) is a \(own.method.rawValue), not a \(method): leave the method out"
    }
    guard let rank = given["rank"], rank != "\(own.rank)" else { return nil }
    return "\(path) has rank \(own.rank), not \(rank): leave the rank out"
  }

  /// Reads all tensors that it has of those that a model of that shape trains. PEFT may have been told
  /// of some modules alone: what stands beside the others is left as it is.
  /// - Returns: the modules that it has nothing for.
  /// - Throws: `tensorMissing`, `tensorUnfit`, `unreadable`, `damaged`, `notFinite`; `otherAdapter` where
  ///   it changes what no adapter here does.
  @discardableResult
  package func load(
    _ shape: ModelConfiguration, _ layout: ParameterLayout, into parameters: FloatBuffer
  ) throws(CheckpointError) -> [String] {
    let (known, there) = (Set(layout.tensors.map(Self.name)), Set(model.names))
    if let other = model.names.first(where: { !known.contains($0) }) {
      throw .otherAdapter(path: path, found: "this model has no place for its \(other)")
    }
    var missing: Set<String> = []
    for tensor in layout.tensors {
      let pair = Self.pair(of: tensor)
      if there.isDisjoint(with: pair.names) {
        missing.insert(pair.module)
        continue
      }
      try model.read(
        Self.name(of: tensor), into: parameters, at: tensor, in: FileForm(tensor, shape))
    }
    try parameters.checkFinite(layout.tensors, path: path)
    return missing.sorted()
  }

  /// The module that a tensor stands beside, and the names of both that do.
  private static func pair(of tensor: ParameterTensor) -> (module: String, names: Set<String>) {
    let module = tensor.name.split(separator: ".").dropLast(2).joined(separator: ".")
    let names = ["lora_A", "lora_B"].map { "base_model.model.\(module).\($0).weight" }
    return (module, Set(names))
  }

  private static func description(in folder: String) -> String { folder + "/adapter_config.json" }

  static func weights(in folder: String) -> String { folder + "/adapter_model.safetensors" }

  static func name(of tensor: ParameterTensor) -> String { "base_model.model." + tensor.name }

  /// Writes one, into a folder that is not there yet.
  /// - Throws: `unwritable`.
  static func write(_ contents: CheckpointContents, to folder: String) throws(CheckpointError) {
    try createFolder(folder)
    try writeSafetensors(contents.adapterTensors(), to: weights(in: folder))
    if let adapter = contents.configuration.adapter, adapter.method.hasAlpha {
      try CheckpointFolder.write(
        Array(PEFTDescription.json(adapter, contents).utf8),
        to: description(in: folder))
    }
    try syncFolder(folder)
  }
}

/// `adapter_config.json`, so far as it decides what an adapter does.
private struct PEFTDescription: Decodable {
  var type: String
  var rank: Int?
  var alpha: Double?
  var bias: String?
  var isStabilised: Bool?
  var isDecomposed: Bool?
  var alphas: [String: Double]?
  var ranks: [String: Int]?

  enum CodingKeys: String, CodingKey {
    case bias
    case type = "peft_type"
    case rank = "r"
    case alpha = "lora_alpha"
    case isStabilised = "use_rslora"
    case isDecomposed = "use_dora"
    case alphas = "alpha_pattern"
    case ranks = "rank_pattern"
  }

  /// Nil for what is not ours.
  var configuration: AdapterConfiguration? {
    guard type == "LORA", let rank, rank >= 1, let alpha, alpha.isFinite, alpha >= 0,
      bias ?? "none" == "none", isStabilised != true, isDecomposed != true,
      !hasOwnAlphas, !hasOwnRanks
    else { return nil }
    var configuration = AdapterConfiguration(method: .lora)
    (configuration.rank, configuration.alpha) = (rank, alpha)
    return configuration
  }

  /// Whether a module is scaled in another way than the others.
  private var hasOwnAlphas: Bool { alphas?.values.contains { $0 != alpha } == true }

  private var hasOwnRanks: Bool { ranks?.values.contains { $0 != rank } == true }

  var flaw: String {
    let kinds = [
      ("bias", bias ?? "none" != "none"), ("use_rslora", isStabilised), ("use_dora", isDecomposed),
      ("alpha_pattern", hasOwnAlphas),
      ("rank_pattern", hasOwnRanks),
    ].filter { $0.1 == true }.map(\.0)
    let rest = kinds.isEmpty ? "" : " with " + kinds.joined(separator: ", ")
    return "an adapter of type \(type)\(rest), not a plain LORA"
  }

  /// What PEFT needs to know of an adapter beside all weights between hidden layers, or beside those
  /// that pruning has left it: there its rank and its alpha are each module's own.
  static func json(_ adapter: AdapterConfiguration, _ contents: CheckpointContents) -> String {
    let layout = contents.layout
    // How the weights lie that it stands beside; its own matrices lie in one way.
    let isTransposed = contents.configuration.architecture == .gpt2 ? "true" : "false"
    let beside = layout.trunk.filter(\.role.isHiddenMatrix).map {
      $0.name.replacing(".weight", with: "")
    }
    let ranks = beside.compactMap { name in
      layout[name + ".lora_A.weight"].map { (name, $0.shape[0]) }
    }
    let isPruned = contents.configuration.pruned != nil
    let modules =
      isPruned
      ? ranks.map(\.0) : beside.compactMap { $0.split(separator: ".").last.map(String.init) }
    let targets = Set(modules).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
    let alphas = ranks.map { adapter.alpha * Double($0.1) / Double(adapter.rank) }
    let patterns = [
      ("alpha_pattern", alphas.map { "\($0)" }), ("rank_pattern", ranks.map { "\($0.1)" }),
    ].map { name, values in
      let entries = zip(ranks, values).map { "\"\($0.0)\": \($1)" }
      return (name, "{\(entries.joined(separator: ", "))}")
    }
    let alpha = Int(exactly: adapter.alpha).map(String.init) ?? "\(adapter.alpha)"
    let members = [
      ("base_model_name_or_path", "null"), ("bias", "\"none\""), ("fan_in_fan_out", isTransposed),
      ("inference_mode", "true"), ("init_lora_weights", "true"), ("lora_alpha", alpha),
      ("lora_dropout", "0.0"), ("modules_to_save", "null"), ("peft_type", "\"LORA\""),
      ("r", "\(adapter.rank)"), ("target_modules", "[\(targets)]"),
      ("task_type", "\"CAUSAL_LM\""), ("use_dora", "false"), ("use_rslora", "false"),
    ]
    let lines = (members + (isPruned ? patterns : [])).map { "  \"\($0)\": \($1)" }.joined(
      separator: ",\n")
    return "{\n\(lines)\n}\n"
  }
}
