import Signals
import Telemetry

/// All that an exact continuation needs beside weights and moments.
///
/// The data's position and the random state are functions of the step, so the step is both.
package struct ContinuationState: Codable {
  /// Every option of the run under its long name.
  package var options: [String: String]
  /// The run's commands by step.
  package var script: [ScriptedCommand]
  /// Scripted commands of the checkpoint's own step that were applied before it was written.
  var scriptedDone: Int
  var settings: LiveSettings
  var changes: [TrainerStateMachine.Change]
  var clips: ClipWindow
  /// Nil in a checkpoint from before there was any.
  var clipping: GradientClipping?
  var noiseScale: NoiseScale?
  var alarms: AlarmMonitor
  var effects: ChangeEffects
  var initialLoss: Double?
  var lastLoss: Double?
  var lastEvalLoss: Double?
  /// Nil in a checkpoint from before a run could go back.
  var batchOffset: Int?
  var rewinds: [RewindPoint]?
  var rewindCount: Int?
  var spentCommands: [Int]?
  var autopilot: Autopilot?
  /// Nil in a checkpoint from before any was removed, or a run stopped by itself.
  var keeping: CheckpointKeeping?
  package var heldOutProgress: HeldOutProgress?
  /// What the data was, so that other data is noticed.
  var dataFingerprint: String
}

extension Checkpoint {
  /// What the run that wrote it goes on with, read from its file each time.
  /// - Throws: `damaged`.
  package func continuation() throws(CheckpointError) -> ContinuationState {
    try run(as: ContinuationState.self)
  }
}
