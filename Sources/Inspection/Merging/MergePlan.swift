import Formats
import Foundation
import Kernels
import Models
package import Training

/// A model that is to be merged, or from which all that are come.
package struct MergeInput: Sendable {
  /// As it was given, or of the checkpoint that was taken of a run's.
  package let path: String
  /// Nil for a model that is none of this program's.
  package let checkpoint: Checkpoint?
  let files: TensorFiles

  /// - Throws: `CheckpointError`, ``InspectionError``.
  init(path: String) throws {
    let checkpoint =
      try CheckpointFolder.holdsCheckpoint(path) ? CheckpointFolder.read(path) : nil
    self.path = checkpoint?.path ?? path
    self.checkpoint = checkpoint
    files = try checkpoint.map { try TensorFiles(weightsOf: $0) } ?? TensorFiles(path: path)
  }

  /// The same as files alone.
  /// - Throws: `CheckpointError`, ``InspectionError``.
  init(model path: String) throws {
    (self.path, checkpoint) = (path, nil)
    files = try TensorFiles(path: path)
  }

  /// The names of those tensors of a checkpoint.
  func names(where isWanted: (ParameterTensor) -> Bool) -> Set<String> {
    Set(checkpoint?.layout.tensors.filter(isWanted).map(\.name) ?? [])
  }

  /// Checkpoints of this program's only where all are: their weights have then one form.
  /// - Throws: as `init(path:)` does.
  static func all(_ paths: [String]) throws -> [MergeInput] {
    let inputs = try paths.map { try MergeInput(path: $0) }
    guard inputs.contains(where: { $0.checkpoint == nil }) else { return inputs }
    return try inputs.map { try MergeInput(model: $0.path) }
  }
}

/// Which models are merged, by what method, and whether they can be.
package struct MergePlan: Sendable {
  package let parts: [MergeInput]
  /// Nil for a mean whose parts' origin is not known: it is the same from anywhere.
  package let base: MergeInput?
  package let kind: MergeKind
  /// λ by part.
  package var scales: [Double]
  package let keep: Double?
  let tensors: [MergedTensor]
  /// What is no weight: the same in all parts.
  let copied: [TensorFiles.Entry]

  /// Numbers in memory of each model at a time.
  static let length = 1 << 19

  /// `base` is nil for the latest checkpoint that the parts' runs have in common, `scale` and `keep` for
  /// what the method usually takes.
  /// - Throws: ``MergeError``, ``InspectionError``, `CheckpointError`.
  package init(
    parts paths: [String], base: String?, kind: MergeKind, scale: Double? = nil,
    keep: Double? = nil
  ) throws {
    parts = try MergeInput.all(paths)
    try Self.refuseTwice(parts)
    try Self.checkCheckpoints(parts)
    self.base = try Self.base(base, of: parts, kind)
    if let origin = self.base?.checkpoint { try Self.checkForm(origin) }
    self.kind = kind
    scales = parts.map { _ in scale ?? kind.usualScale }
    self.keep = keep ?? kind.usualKeep
    (tensors, copied) = try Self.sort(parts, base: self.base)
  }

  private static func refuseTwice(_ parts: [MergeInput]) throws(MergeError) {
    var seen: Set<String> = []
    for part in parts {
      let place = URL(fileURLWithPath: part.path).resolvingSymlinksInPath().path
      guard seen.insert(place).inserted else { throw .sameTwice(path: part.path) }
    }
  }

  /// Whether checkpoints are of one model that runs in one way.
  private static func checkCheckpoints(_ parts: [MergeInput]) throws(MergeError) {
    let checkpoints = parts.compactMap(\.checkpoint)
    guard let first = checkpoints.first else { return }
    for other in checkpoints {
      try checkForm(other)
      guard other.configuration == first.configuration else {
        throw .otherModel(
          path: other.path, found: other.configuration.words, first: first.path,
          expected: first.configuration.words)
      }
      guard other.qkLayerNormWeight == first.qkLayerNormWeight,
        other.forward.isLike(first.forward)
      else { throw .runsOtherwise(path: other.path, first: first.path) }
    }
  }

  /// Whether its weights are all that it is.
  private static func checkForm(_ checkpoint: Checkpoint) throws(MergeError) {
    let (path, model) = (checkpoint.path, checkpoint.configuration)
    if model.sigmaReparam { throw .secondForm(path: path, option: "sigma-reparam") }
    if model.sharing > 0 { throw .secondForm(path: path, option: "share-parameters") }
    if model.adapter != nil { throw .adapted(path: path) }
  }

  private static func base(
    _ given: String?, of parts: [MergeInput], _ kind: MergeKind
  ) throws -> MergeInput? {
    let checkpoints = parts.compactMap(\.checkpoint)
    if let given {
      return checkpoints.isEmpty ? try MergeInput(model: given) : try MergeInput(path: given)
    }
    guard !checkpoints.isEmpty else {
      guard kind == .mean else {
        throw MergeError.baseNeeded(method: kind, path: foreign(parts) ?? parts[0].path)
      }
      return nil
    }
    let common = try CheckpointFolder.common(before: checkpoints)?.path
    guard let path = try common ?? fineTuned(checkpoints) else {
      throw MergeError.noCommonCheckpoint(paths: parts.map(\.path))
    }
    return try MergeInput(path: path)
  }

  /// The first part that is no checkpoint of this program's; nil where all are.
  package var foreign: String? { Self.foreign(parts) }

  private static func foreign(_ parts: [MergeInput]) -> String? {
    parts.first { (try? CheckpointFolder.holdsCheckpoint($0.path)) != true }?.path
  }

  /// What all of them were fine-tuned from, if it still lies there.
  private static func fineTuned(_ checkpoints: [Checkpoint]) throws(CheckpointError) -> String? {
    var path: String?
    for checkpoint in checkpoints {
      let own = try checkpoint.continuation().options["base"]
      guard let own, path == nil || own == path, FileSystem.exists(own) else { return nil }
      path = own
    }
    return path
  }

  /// The tensors that are merged, and those that must be the same in all parts.
  private static func sort(
    _ parts: [MergeInput], base: MergeInput?
  ) throws -> (merged: [MergedTensor], copied: [TensorFiles.Entry]) {
    let first = parts[0]
    let files = parts.map(\.files)
    let names = files.map { Dictionary(uniqueKeysWithValues: $0.entries.map { ($0.name, $0) }) }
    let origin = base?.files ?? first.files
    let origins = Dictionary(uniqueKeysWithValues: origin.entries.map { ($0.name, $0) })
    for (part, own) in zip(parts, names) {
      guard let extra = own.keys.sorted().first(where: { names[0][$0] == nil }) else { continue }
      throw MergeError.missing(path: first.path, tensor: extra, first: part.path)
    }
    let fixed = first.names(where: { $0.role == .fixed })
    // Gains that have no effect stay as the first part has them.
    let idle =
      first.checkpoint?.qkLayerNormWeight == 0
      ? first.names(where: { $0.role == .queryKeyGain }) : []
    var (merged, copied): ([MergedTensor], [TensorFiles.Entry]) = ([], [])
    for entry in first.files.entries where !idle.contains(entry.name) {
      let all = try zip(parts, names).map { part, own in
        try Self.counterpart(of: entry, in: own, at: part.path, first: first.path)
      }
      guard all.contains(where: { $0.number != nil }), !fixed.contains(entry.name) else {
        try checkEqual(all, parts, entry)
        copied.append(entry)
        continue
      }
      let start = try counterpart(
        of: entry, in: origins, at: base?.path ?? first.path, first: first.path)
      merged.append(
        MergedTensor(
          start: try stored(start, at: base?.path ?? first.path),
          parts: try zip(parts, all).map { try stored($1, at: $0.path) }))
    }
    guard !merged.isEmpty else { throw MergeError.noFloats(path: first.path) }
    return (merged, copied)
  }

  private static func counterpart(
    of entry: TensorFiles.Entry, in own: [String: TensorFiles.Entry], at path: String, first: String
  ) throws(MergeError) -> TensorFiles.Entry {
    guard let found = own[entry.name] else {
      throw .missing(path: path, tensor: entry.name, first: first)
    }
    guard found.shape == entry.shape else {
      throw .otherShape(
        path: path, tensor: entry.name, shape: found.shape, first: first, expected: entry.shape)
    }
    return found
  }

  private static func stored(
    _ entry: TensorFiles.Entry, at path: String
  ) throws(MergeError) -> MergedTensor.Stored {
    guard let type = entry.number, type.bytes > 1 else {
      throw .unreadableNumbers(path: path, tensor: entry.name, type: entry.type)
    }
    return MergedTensor.Stored(entry: entry, type: type)
  }

  private static func checkEqual(
    _ all: [TensorFiles.Entry], _ parts: [MergeInput], _ entry: TensorFiles.Entry
  ) throws {
    for (other, part) in zip(all, parts).dropFirst() {
      let isEqual =
        try other.type == entry.type
        && TensorFiles.holdSameBytes(entry, in: parts[0].files, other, in: part.files)
      guard isEqual else {
        throw MergeError.notEqual(path: part.path, tensor: entry.name, first: parts[0].path)
      }
    }
  }
}
