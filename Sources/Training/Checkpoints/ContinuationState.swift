import Signals
import Telemetry

/// All that an exact continuation needs beside weights, moments and what the probes keep.
///
/// The data's position and the random state are functions of the step, so the step is both.
package struct ContinuationState {
  /// Every option of the run under its long name.
  package var options: [String: String]
  /// The run's commands by step.
  package var script: [ScriptedCommand]
  var settings: LiveSettings
  var changes: [TrainerStateMachine.Change]
  /// Nil in a checkpoint from before there was any.
  var clipping: GradientClipping?
  /// Nil in a checkpoint from before a run could go back.
  var rewindCount: Int?
  var spentCommands: [Int]?
  var autopilot: Autopilot?
  /// What the data was, so that other data is noticed.
  var dataFingerprint: String
  /// Whose outputs were learnt, so that another teacher is noticed; nil for a run without.
  var teacher: String?
  package var progress: TrainingProgress

  /// All but the progress, whose parts stand beside these.
  enum CodingKeys: String, CodingKey, CaseIterable {
    case options, script, settings, changes, clipping, rewindCount, spentCommands, autopilot
    case dataFingerprint, teacher
  }

  /// The words of a run's state that no probe may take.
  static let keys = Set(
    CodingKeys.allCases.map(\.rawValue) + TrainingProgress.CodingKeys.allCases.map(\.rawValue))
}

extension ContinuationState: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    options = try container.decode([String: String].self, forKey: .options)
    script = try container.decode([ScriptedCommand].self, forKey: .script)
    settings = try container.decode(LiveSettings.self, forKey: .settings)
    changes = try container.decode([TrainerStateMachine.Change].self, forKey: .changes)
    clipping = try container.decodeIfPresent(GradientClipping.self, forKey: .clipping)
    rewindCount = try container.decodeIfPresent(Int.self, forKey: .rewindCount)
    spentCommands = try container.decodeIfPresent([Int].self, forKey: .spentCommands)
    autopilot = try container.decodeIfPresent(Autopilot.self, forKey: .autopilot)
    dataFingerprint = try container.decode(String.self, forKey: .dataFingerprint)
    teacher = try container.decodeIfPresent(String.self, forKey: .teacher)
    progress = try TrainingProgress(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(options, forKey: .options)
    try container.encode(script, forKey: .script)
    try container.encode(settings, forKey: .settings)
    try container.encode(changes, forKey: .changes)
    try container.encodeIfPresent(clipping, forKey: .clipping)
    try container.encodeIfPresent(rewindCount, forKey: .rewindCount)
    try container.encodeIfPresent(spentCommands, forKey: .spentCommands)
    try container.encodeIfPresent(autopilot, forKey: .autopilot)
    try container.encode(dataFingerprint, forKey: .dataFingerprint)
    try container.encodeIfPresent(teacher, forKey: .teacher)
    try progress.encode(to: encoder)
  }
}

/// What a run writes of itself: its own state and, under keys of their own beside it, its probes'.
struct WrittenState: Encodable {
  let run: ContinuationState
  let probes: ProbeList
  let step: Int

  func encode(to encoder: any Encoder) throws {
    try run.encode(to: encoder)
    try probes.encodeStates(at: step, to: encoder)
  }
}

extension Checkpoint {
  /// What the run that wrote it goes on with, read from its file each time.
  /// - Throws: `damaged`.
  package func continuation() throws(CheckpointError) -> ContinuationState {
    try run(as: ContinuationState.self)
  }
}
