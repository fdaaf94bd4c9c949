import Foundation
import Sessions
import Signals
import Training

/// A run that is to go on from a checkpoint behind the end of its session: what lies ahead of the
/// checkpoint becomes an abandoned line, unless the run branches off.
package struct SteppingBack: Sendable, Equatable {
  package let session: String
  /// The checkpoint's step.
  package let step: Int
  /// How many steps the session has.
  package let steps: Int
  /// The name under which those ahead of the checkpoint stay.
  package let line: String
  /// Whether there is a checkpoint nearer to the end, so that this one was hardly chosen for want of
  /// another.
  package let hasChoice: Bool

  /// Nil where nothing lies ahead, or where only what a killed run had done last comes again.
  package init?(_ plan: RunPlan) {
    guard let checkpoint = plan.checkpoint, plan.branch == nil,
      FileManager.default.fileExists(atPath: plan.sessionPath)
    else { return nil }
    session = plan.sessionPath
    step = checkpoint.step
    let summary = SessionSummary(path: session)
    guard summary.flaw == nil, !summary.isLive, summary.steps > step else { return nil }
    steps = summary.steps
    line = SessionReference(path: session, line: summary.newest.number).name
    let entries = try? CheckpointFolder.list(in: plan.checkpointFolder.path)
    hasChoice = entries?.contains { [step] in $0.step > step } ?? false
    if summary.isKilled, !hasChoice, plan.changes.isEmpty { return nil }
  }

  /// Where the run is to go back, in half a line.
  package var place: String {
    "\(ShownPath.text(session)) has \(NumberText.grouped(steps)) steps"
  }

  package var warning: String {
    "\(place): going on from step \(NumberText.grouped(step)) leaves"
      + " \(NumberText.grouped(steps - step)) of them as line \(line);"
      + " --branch NAME goes on in a session of its own"
  }
}
