import Foundation
import Sessions
import Training

extension RunPlan {
  /// The session that a run branches off from.
  struct Branching: Sendable {
    let origin: String
    /// As the description tells it.
    let parent: String
  }

  /// Where the branch called `name` of the run in `session` is recorded.
  /// - Throws: ``RunError/noBranchName(_:)``; `SessionError.taken` where the name is.
  package static func branchPath(_ name: String, beside session: String) throws -> String {
    let ending = SessionSummary.ending
    let stem = name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
    guard !stem.isEmpty, !stem.hasPrefix("."), !stem.contains("/"), !stem.contains("\0") else {
      throw RunError.noBranchName(name)
    }
    let folder = session.lastIndex(of: "/").map { String(session[...$0]) } ?? ""
    let path = folder + stem + ending
    for place in [path, checkpointFolder(of: path).path]
    where FileManager.default.fileExists(atPath: place) {
      throw SessionError.taken(path: place)
    }
    return path
  }

  /// Has the run go on from its checkpoint in a session called `name`, and leave its own as it is.
  /// - Throws: as ``branchPath(_:beside:)`` does; ``RunError/branchWithoutCheckpoint(name:)``.
  package mutating func branchOff(_ name: String) throws {
    guard let checkpoint else { throw RunError.branchWithoutCheckpoint(name: name) }
    let path = try Self.branchPath(name, beside: sessionPath)
    branch = Branching(origin: sessionPath, parent: "\(self.name) at step \(checkpoint.step)")
    sessionPath = path
  }
}
