import Signals
import Telemetry

/// All that an exact continuation needs beside weights and moments.
///
/// The data's position and the random state are functions of the step, so the step is both.
struct ContinuationState: Codable {
  /// Every option of the run under its long name.
  var options: [String: String]
  var script: [ScriptedCommand]
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
  /// What the data was, so that other data is noticed.
  var dataFingerprint: String
}

extension Checkpoint {
  /// The options of the run that wrote it, by long name.
  /// - Throws: `damaged`.
  package func options() throws(CheckpointError) -> [String: String] {
    try run(as: ContinuationState.self).options
  }

  /// The commands by step of the run that wrote it.
  /// - Throws: `damaged`.
  package func script() throws(CheckpointError) -> [ScriptedCommand] {
    try run(as: ContinuationState.self).script
  }
}
