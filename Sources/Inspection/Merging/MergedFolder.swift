import Formats
import Foundation
package import Kernels
import Models
import Training

extension MergePlan {
  /// Merges and writes the model: of checkpoints a checkpoint, of other models a folder with their
  /// files beside the weights. `merge.json` in it tells how it was made.
  ///
  /// Memory is bounded by the chunks, but for a checkpoint's weights, which are in memory once.
  /// - Throws: ``MergeError``, `CheckpointError`.
  package func write(to path: String, pool: WorkerPool) throws -> MergeOutcome {
    guard !FileSystem.exists(path) else { throw MergeError.outputExists(path: path) }
    var outcome: MergeOutcome?
    try makeWholeFolder(at: path) { folder in
      let found = try fill(folder, pool)
      try FoundFiles.write(
        json(found) + "\n", to: folder + "/merge.json", shownAs: path + "/merge.json")
      outcome = found
    }
    guard let outcome else { preconditionFailure("a folder without contents") }
    return outcome
  }

  private func fill(_ folder: String, _ pool: WorkerPool) throws -> MergeOutcome {
    guard let first = parts[0].checkpoint else { return try writeModel(to: folder, pool) }
    let weights = FloatBuffer(count: first.layout.count)
    try first.load(parameters: weights)
    let outcome = try run(
      pool: pool, take: { put($0.merged, of: $0.chunk, into: weights, of: first) })
    try first.write(weights, routerBias: routerBias, into: folder)
    return outcome
  }

  /// Writes a chunk's numbers, which are in the files' order, to their places among a checkpoint's
  /// weights.
  func put(
    _ numbers: FloatBuffer, of chunk: UpdateChunk, into weights: FloatBuffer,
    of checkpoint: Checkpoint
  ) {
    let name = tensors[chunk.tensor].name
    guard let tensor = checkpoint.layout[name] else { preconditionFailure("no tensor \(name)") }
    let form = FileForm(tensor, checkpoint.configuration)
    for (index, stored) in chunk.range.enumerated() {
      weights[tensor.offset + form.place(ofStored: stored, in: tensor)] = numbers[index]
    }
  }

  /// The mean over parts: it is no weight that a gradient moved. Nil where none has any.
  private var routerBias: [Float]? {
    let biases = parts.compactMap { $0.checkpoint?.forward.routerBias }
    guard let first = biases.first else { return nil }
    return first.indices.map { index in
      Float(biases.reduce(0) { $0 + Double($1[index]) } / Double(parts.count))
    }
  }

  /// In the first part's types, in one file.
  private func writeModel(to folder: String, _ pool: WorkerPool) throws -> MergeOutcome {
    let first = parts[0].files
    try FoundFiles.copy(besideModel: first.path, to: folder)
    let writer = try SafetensorsWriter(
      path: folder + "/model.safetensors",
      tensors: order.map { item in
        let entry =
          switch item {
          case .merged(let tensor): tensors[tensor].parts[0].entry
          case .copied(let entry): entry
          }
        return SafetensorsFile.Tensor(
          name: entry.name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
      })
    var room = Buffer<UInt8>(count: 0)
    let outcome = try run(pool: pool) { piece in
      let type = tensors[piece.chunk.tensor].parts[0].type
      let bytes = piece.chunk.count * type.bytes
      if room.count < bytes { room = Buffer(count: bytes) }
      encode(piece.merged, count: piece.chunk.count, as: type, into: room)
      try writer.write(UnsafeRawBufferPointer(rebasing: room.memory[..<bytes]))
    } copy: { entry in
      try first.forEachPiece(of: entry) { try writer.write($0) }
    }
    try writer.finish()
    return outcome
  }
}

extension MergePlan {
  /// What was merged, how, and how the parts agreed, as one JSON object.
  package func json(_ outcome: MergeOutcome) -> String {
    JSONLines.object(words(outcome))
  }

  package func words(_ outcome: MergeOutcome) -> [(key: String, value: String)] {
    func list(_ texts: [String]) -> String { "[\(texts.joined(separator: ","))]" }
    return [
      ("method", JSONLines.quoted(kind.rawValue)),
      ("parts", list(parts.map { JSONLines.quoted($0.path) })),
      ("base", base.map { JSONLines.quoted($0.path) } ?? "null"),
      ("scales", list(scales.map { JSONLines.number($0) })),
      ("keep", keep.map { JSONLines.number($0) } ?? "null"), ("all", outcome.whole.json),
      ("layers", list(outcome.layers.map(\.json))),
      ("tensors", list(outcome.tensors.map(\.json))),
    ]
  }
}

/// What lies beside a model's weights.
private enum FoundFiles {
  /// Configurations, tokenizers and the like are small texts.
  private static let longest = 64 << 20
  private static let endings = [".json", ".txt", ".model", ".jinja"]

  static func copy(besideModel path: String, to folder: String) throws {
    for entry in FileSystem.entries(of: path) where !entry.isFolder && isWanted(entry.name) {
      let from = "\(path)/\(entry.name)"
      guard let size = FileSystem.size(from), size <= longest else { continue }
      do {
        try FileManager.default.copyItem(atPath: from, toPath: "\(folder)/\(entry.name)")
      } catch {
        throw CheckpointError.unwritable(
          path: "\(folder)/\(entry.name)", reason: "a copy of \(from) could not be made")
      }
    }
  }

  private static func isWanted(_ name: String) -> Bool {
    guard !name.hasSuffix(".index.json"), !["run.json", "merge.json"].contains(name) else {
      return false
    }
    return endings.contains { name.hasSuffix($0) }
  }

  static func write(_ text: String, to path: String, shownAs shown: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw CheckpointError.unwritable(path: shown, reason: "the file could not be written")
    }
  }
}
