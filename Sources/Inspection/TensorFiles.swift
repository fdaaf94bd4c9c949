import Formats
import Foundation
package import Kernels
import Models
package import Training

/// The tensors of a model on disk, of whatever make: a safetensors file, a folder with one, or with
/// shards and their index. Headers have been read and checked, the numbers are still on disk.
package struct TensorFiles: Sendable {
  /// A tensor by its place in the files.
  package struct Entry: Sendable, Hashable {
    package let name: String
    package let shape: [Int]
    /// As the file spells it.
    package let type: String
    package let bytes: Int
    fileprivate let file: Int

    package var count: Int { shape.reduce(1, *) }
    /// Nil for what is no floating-point number: integers, flags, scales of exponents alone.
    package var number: StoredNumber? { StoredNumber(rawValue: type) }
  }

  package let path: String
  /// By file, in each in the order of the bytes.
  package let entries: [Entry]
  private let files: [SafetensorsFile]

  /// Opens what lies at `path`: a file, an index, a folder of either, or a folder of this program's
  /// checkpoints, of which the latest is taken.
  /// - Throws: ``InspectionError``; `CheckpointError` for a file that is cut or damaged.
  package init(path: String) throws {
    self.path = path
    guard FileSystem.exists(path) else { throw InspectionError.nothingThere(path: path) }
    let place = try FileSystem.isFolder(path) ? Self.model(in: path) : [path]
    if place.count == 1, place[0].hasSuffix(".json") {
      let index = try ShardIndex(path: place[0])
      files = try index.shards.map { try Self.open(index.path(of: $0)) }
      entries = try index.entries(of: files.map(Self.entries))
    } else {
      files = try place.map(Self.open)
      entries = try Self.joined(files)
    }
  }

  /// The weights of a checkpoint of this program's, in the layout's order: those too that its model
  /// file leaves out, and none of the zeros that are there for Hugging Face.
  /// - Throws: `CheckpointError`.
  package init(weightsOf checkpoint: Checkpoint) throws(CheckpointError) {
    path = checkpoint.path
    files = [
      try SafetensorsFile(path: path + "/model.safetensors"),
      try SafetensorsFile(path: path + "/optimizer.safetensors"),
    ]
    // A moment has its tensor's name with an ending, so that a name is in one file alone.
    let places = Dictionary(
      Self.entries(of: files[0], number: 0).map { ($0.name, $0) }
        + Self.entries(of: files[1], number: 1).map { ($0.name, $0) },
      uniquingKeysWith: { one, _ in one })
    entries = checkpoint.layout.tensors.compactMap { places[$0.name] }
  }

  package subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// Reads `count` numbers of a tensor from number `start` on, as they are stored.
  /// - Throws: `CheckpointError`.
  func read(
    _ entry: Entry, _ type: StoredNumber, from start: Int, count: Int, into memory: Buffer<UInt8>
  ) throws(CheckpointError) {
    try readBytes(entry, from: start * type.bytes, count: count * type.bytes, into: memory)
  }

  /// Reads a part of a tensor as it is stored, from its byte `start` on.
  /// - Throws: `CheckpointError`.
  func readBytes(
    _ entry: Entry, from start: Int, count: Int, into memory: Buffer<UInt8>
  ) throws(CheckpointError) {
    let bytes = UnsafeMutableRawBufferPointer(rebasing: memory.memory[..<count])
    try files[entry.file].read(entry.name, from: start, into: bytes)
  }

  private static let piece = 1 << 20

  /// Hands the bytes of a tensor out as they are stored, piece by piece.
  /// - Throws: `CheckpointError`, what `body` throws.
  func forEachPiece(of entry: Entry, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let room = Buffer<UInt8>(count: min(entry.bytes, Self.piece))
    for range in chunks(of: entry.bytes, length: Self.piece) {
      try readBytes(entry, from: range.lowerBound, count: range.count, into: room)
      try body(UnsafeRawBufferPointer(rebasing: room.memory[..<range.count]))
    }
  }

  /// Whether two tensors are stored alike.
  /// - Throws: `CheckpointError`.
  static func holdSameBytes(
    _ one: Entry, in first: TensorFiles, _ other: Entry, in second: TensorFiles
  ) throws -> Bool {
    guard one.bytes == other.bytes else { return false }
    let room = Buffer<UInt8>(count: min(one.bytes, piece))
    var start = 0
    var isSame = true
    try first.forEachPiece(of: one) { bytes in
      try second.readBytes(other, from: start, count: bytes.count, into: room)
      isSame = isSame && bytes.elementsEqual(room.memory[..<bytes.count])
      start += bytes.count
    }
    return isSame
  }

  private static func open(_ path: String) throws -> SafetensorsFile {
    do throws(CheckpointError) {
      return try SafetensorsFile(path: path)
    } catch {
      guard case .damaged = error, !beginsLikeOne(path) else { throw error }
      throw InspectionError.notSafetensors(path: path)
    }
  }

  /// Whether a header could begin where one must: an opening brace after its length.
  private static func beginsLikeOne(_ path: String) -> Bool {
    guard let handle = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? handle.close() }
    let bytes = Array((try? handle.read(upToCount: 9)) ?? Data())
    return bytes.count == 9 && bytes[8] == UInt8(ascii: "{")
  }

  private static func entries(of file: SafetensorsFile, number: Int) -> [Entry] {
    file.tensors.map {
      Entry(name: $0.name, shape: $0.shape, type: $0.type, bytes: $0.bytes, file: number)
    }
  }

  private static func entries(_ file: SafetensorsFile) -> [Entry] { entries(of: file, number: 0) }

  private static func joined(_ files: [SafetensorsFile]) throws -> [Entry] {
    var owners: [String: Int] = [:]
    var all: [Entry] = []
    for (number, file) in files.enumerated() {
      for entry in entries(of: file, number: number) {
        if let owner = owners.updateValue(number, forKey: entry.name) {
          throw InspectionError.twice(
            tensor: entry.name, first: files[owner].path, second: file.path)
        }
        all.append(entry)
      }
    }
    return all
  }
}

extension TensorFiles {
  /// The files of the model in a folder: one with all of it, an index alone, or safetensors files.
  private static func model(in folder: String) throws -> [String] {
    let names = FileSystem.entries(of: folder).filter { !$0.isFolder }.map(\.name)
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    // Beside it lies what is none of the model: an optimizer's moments, adapters, and shards, which
    // transformers leaves alone too where all is in one file.
    if names.contains("model.safetensors") { return [prefix + "model.safetensors"] }
    if let index = names.first(where: { $0.hasSuffix(".safetensors.index.json") }) {
      return [prefix + index]
    }
    if let latest = try CheckpointFolder.latest(in: folder) { return try model(in: latest.path) }
    let found = names.filter { $0.hasSuffix(".safetensors") }
    guard !found.isEmpty else { throw InspectionError.noModel(path: folder) }
    try checkNumbers(of: found, in: folder)
    return found.map { prefix + $0 }
  }

  /// Shards without an index are still numbered: `model-00001-of-00003.safetensors`.
  private static func checkNumbers(of names: [String], in folder: String) throws {
    for name in names {
      guard let match = name.wholeMatch(of: /(.*)-(\d{5})-of-(\d{5})\.safetensors/),
        let total = Int(match.3)
      else { continue }
      for number in 1...max(total, 1) {
        let digits = String(format: "%05d", number)
        let shard = "\(match.1)-\(digits)-of-\(match.3).safetensors"
        guard names.contains(shard) else {
          throw InspectionError.shardMissing(path: folder, shard: shard)
        }
      }
    }
  }
}

/// Which shard holds which tensor, as Hugging Face's `model.safetensors.index.json` says.
private struct ShardIndex {
  let path: String
  /// In the order of their names.
  let shards: [String]
  private let owners: [String: String]

  private static let longest = 256 << 20

  init(path: String) throws {
    self.path = path
    func bad(_ reason: String) -> InspectionError { .badIndex(path: path, reason: reason) }
    guard let size = FileSystem.size(path), size <= Self.longest,
      let data = FileManager.default.contents(atPath: path)
    else { throw bad("it cannot be read") }
    guard let value = try? JSONValue(Array(data)) else { throw bad("it is no JSON") }
    guard let members = value["weight_map"]?.members, !members.isEmpty else {
      throw bad("it has no weight_map")
    }
    var owners: [String: String] = [:]
    for member in members {
      // A name alone: an index must not lead out of its folder.
      guard let shard = member.value.text, !shard.contains("/"), !shard.isEmpty else {
        throw bad("\(member.key) is in no file")
      }
      owners[member.key] = shard
    }
    self.owners = owners
    shards = Set(owners.values).sorted()
    for shard in shards where !FileSystem.exists(self.path(of: shard)) {
      throw InspectionError.shardMissing(path: path, shard: shard)
    }
  }

  func path(of shard: String) -> String { FileSystem.folder(of: path) + "/" + shard }

  /// The tensors that the index knows, of the shards' own in their order.
  func entries(of found: [[TensorFiles.Entry]]) throws -> [TensorFiles.Entry] {
    var all: [TensorFiles.Entry] = []
    for (number, entries) in found.enumerated() {
      all += entries.filter { owners[$0.name] == shards[number] }.map { $0.moved(to: number) }
    }
    guard all.count < owners.count else { return all }
    let known = Set(all.map(\.name))
    let lost = owners.keys.sorted().first { !known.contains($0) } ?? ""
    throw InspectionError.notInShard(path: path, tensor: lost, shard: owners[lost] ?? "")
  }
}

extension TensorFiles.Entry {
  fileprivate func moved(to file: Int) -> TensorFiles.Entry {
    TensorFiles.Entry(name: name, shape: shape, type: type, bytes: bytes, file: file)
  }
}
