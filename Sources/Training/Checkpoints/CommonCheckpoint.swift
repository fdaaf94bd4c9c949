import Foundation

extension CheckpointFolder {
  /// The latest checkpoint from before all of `checkpoints` that each of their runs has.
  ///
  /// A branch of a run has the run's checkpoints up to where it left it, beside its own.
  /// - Returns: it as the first one's run has it; nil where there is none.
  /// - Throws: `unreadable` for a folder that cannot be listed.
  package static func common(
    before checkpoints: [Checkpoint]
  ) throws(CheckpointError) -> Entry? {
    guard let end = checkpoints.map(\.step).min() else { return nil }
    var lists: [[Entry]] = []
    for checkpoint in checkpoints {
      lists.append(try list(in: folder(of: checkpoint)).filter { $0.step < end })
    }
    return lists[0].last { own in
      lists.dropFirst().allSatisfy { list in
        list.contains { $0.step == own.step && hasSameWeights($0, own) }
      }
    }
  }

  private static func folder(of checkpoint: Checkpoint) -> String {
    var parts = checkpoint.path.split(separator: "/", omittingEmptySubsequences: false)
    while parts.last == "" { parts.removeLast() }
    let above = parts.dropLast().joined(separator: "/")
    return above.isEmpty ? (checkpoint.path.hasPrefix("/") ? "/" : ".") : above
  }

  private static func hasSameWeights(_ one: Entry, _ other: Entry) -> Bool {
    FileManager.default.contentsEqual(
      atPath: one.path + "/model.safetensors", andPath: other.path + "/model.safetensors")
  }

  /// Whether a checkpoint of this program's lies there, or checkpoints of a run do.
  /// - Throws: `unreadable` for a folder that cannot be listed.
  package static func holdsCheckpoint(_ path: String) throws(CheckpointError) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return false }
    if FileManager.default.fileExists(atPath: path + "/run.json") { return true }
    return try latest(in: path) != nil
  }
}
