import Foundation
import Glibc

/// The folder `NAME.checkpoints` of a run, one folder `step-000012400` in it for each checkpoint.
package enum CheckpointFolder {
  /// A checkpoint that is there, not opened.
  package struct Entry: Sendable, Hashable {
    package var step: Int
    package var path: String
  }

  /// Writes a checkpoint to the side, forces it to the disk and renames it, so that what has a
  /// checkpoint's name is whole whatever happens; one of the same step is replaced. What killed
  /// writers left is removed.
  /// - Returns: The path of the folder `step-…`.
  /// - Throws: `unwritable`; then the earlier checkpoints are as they were and nothing is left
  ///   beside them.
  package static func write(
    _ contents: CheckpointContents, step: Int, run: some Encodable, to parent: String
  ) throws(CheckpointError) -> String {
    let runFile = try encoded(contents, step: step, run: run, path: parent)
    try createFolder(parent)
    removeLeftovers(in: parent)
    let side = try SideFolder(parent: parent, name: folderName(step: step))
    try fill(side, with: contents, runFile: runFile)
    try syncFolder(parent)
    return side.target
  }

  /// Opens a checkpoint, or the latest one of a folder of checkpoints.
  /// - Throws: `missing`, `unreadable`, `foreign`, `newer`, `damaged`, `tensorMissing`,
  ///   `tensorUnfit`.
  package static func read(_ path: String) throws(CheckpointError) -> Checkpoint {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
      throw .unreadable(path: path, reason: systemReason(errno))
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .foreign(path: path, found: "a file, not a folder")
    }
    guard access(path + "/run.json", F_OK) != 0, let latest = try latest(in: path) else {
      return try Checkpoint(folder: path)
    }
    return try Checkpoint(folder: latest.path)
  }

  /// The checkpoint of the highest step; nil where there is none.
  package static func latest(in parent: String) throws(CheckpointError) -> Entry? {
    try list(in: parent).last
  }

  /// The checkpoints in order of their steps; none where the folder does not exist.
  /// - Throws: `unreadable`.
  package static func list(in parent: String) throws(CheckpointError) -> [Entry] {
    let prefix = parent.hasSuffix("/") ? parent : parent + "/"
    return try names(in: parent).compactMap { name in
      step(ofFolder: name).map { Entry(step: $0, path: prefix + name) }
    }.sorted { $0.step < $1.step }
  }

  /// Puts `prefix` before the names of the checkpoints of later steps than `step`: they are no
  /// longer listed nor written over, and can still be opened by their names.
  /// - Throws: `unreadable`, `unwritable`.
  package static func setAside(
    after step: Int, in parent: String, as prefix: String
  ) throws(CheckpointError) {
    for entry in try list(in: parent) where entry.step > step {
      let name = folderName(step: entry.step)
      var target = "\(parent)/\(prefix)\(name)"
      var number = 2
      while access(target, F_OK) == 0 {
        target = "\(parent)/\(prefix)\(number)-\(name)"
        number += 1
      }
      try move(entry.path, to: target)
    }
  }

  /// Gives the checkpoints that were set aside as `prefix` their own names again; one whose name is
  /// taken stays as it is.
  /// - Throws: `unreadable`, `unwritable`.
  package static func takeBack(_ prefix: String, in parent: String) throws(CheckpointError) {
    for name in try names(in: parent) where name.hasPrefix(prefix) {
      let own = String(name.dropFirst(prefix.count))
      guard step(ofFolder: own) != nil, access("\(parent)/\(own)", F_OK) != 0 else { continue }
      try move("\(parent)/\(name)", to: "\(parent)/\(own)")
    }
  }

  /// Before the names of the checkpoints of a run's abandoned line.
  package static func prefix(ofLine number: Int) -> String { "line-\(number)-" }

  private static func move(_ from: String, to target: String) throws(CheckpointError) {
    guard rename(from, target) == 0 else {
      throw .unwritable(path: target, reason: systemReason(errno))
    }
  }

  /// Takes a checkpoint away. It loses its name first, so that what is left of one whose removal was
  /// cut short is not taken for a checkpoint.
  /// - Throws: `unwritable`; not where it is gone already.
  package static func remove(step: Int, in parent: String) throws(CheckpointError) {
    let path = parent + "/" + folderName(step: step)
    let aside = "\(parent)/.\(folderName(step: step)).removed-\(getpid())"
    guard rename(path, aside) == 0 else {
      if errno == ENOENT { return }
      throw .unwritable(path: path, reason: systemReason(errno))
    }
    removeFolder(aside)
  }

  static func holds(step: Int, in parent: String) -> Bool {
    access(parent + "/" + folderName(step: step), F_OK) == 0
  }

  package static func folderName(step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }

  private static func step(ofFolder name: String) -> Int? {
    guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)),
      folderName(step: step) == name
    else { return nil }
    return step
  }

  static func names(in folder: String) throws(CheckpointError) -> [String] {
    guard access(folder, F_OK) == 0 else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .unreadable(path: folder, reason: "it is not a folder this account may list")
    }
  }

  static func encoded(
    _ contents: CheckpointContents, step: Int, run: some Encodable, path: String
  ) throws(CheckpointError) -> [UInt8] {
    let manifest = CheckpointManifest(
      step: step, model: StoredModel(contents.configuration),
      qkLayerNormWeight: contents.qkLayerNormWeight, forward: contents.forward)
    do {
      return Array(
        try checkpointEncoder().encode(CheckpointDocument(manifest: manifest, run: run)))
    } catch {
      throw .unwritable(path: path, reason: "the run's state has no JSON form")
    }
  }

  /// Writes the files and gives the folder its name, or leaves nothing.
  static func fill(
    _ side: SideFolder, with contents: CheckpointContents, runFile: [UInt8]
  ) throws(CheckpointError) {
    do throws(CheckpointError) {
      try write(contents, runFile: runFile, to: side.path)
      try syncFolder(side.path)
      try side.rename()
    } catch {
      side.remove()
      throw error
    }
  }

  static func write(
    _ contents: CheckpointContents, runFile: [UInt8], to folder: String
  ) throws(CheckpointError) {
    try writeSafetensors(contents.modelTensors(), to: folder + "/model.safetensors")
    try writeSafetensors(contents.optimizerTensors(), to: folder + "/optimizer.safetensors")
    try write(runFile, to: folder + "/run.json")
    let configuration = huggingFaceConfiguration(
      contents.configuration, qkLayerNormWeight: contents.qkLayerNormWeight,
      forward: contents.forward)
    if let configuration { try write(configuration, to: folder + "/config.json") }
    guard contents.trunk != nil else { return }
    try AdapterFolder.write(contents, to: folder + "/adapter")
  }

  static func write(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
    let output = try CheckpointOutput(path: path)
    try output.write(bytes)
    try output.finish()
  }
}
