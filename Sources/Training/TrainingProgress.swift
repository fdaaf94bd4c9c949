import Signals

/// What a run has come to by a step, beside its weights, its settings and its probes: a checkpoint
/// keeps it, and going back takes it over.
package struct TrainingProgress: Codable {
  /// Scripted commands of the present step that are applied already.
  var scriptedDone = 0
  var alarms = AlarmMonitor()
  var effects = ChangeEffects()
  /// Loss of the probe windows before the first update.
  var initialLoss: Double?
  var lastLoss: Double?
  var lastEvalLoss: Double?
  /// Batches left out so far, each of the size it had then.
  var batchOffset = 0
  /// Where the run as it is went back.
  var rewinds: [RewindPoint] = []
  package internal(set) var heldOutProgress = HeldOutProgress()
  var keeping = CheckpointKeeping()

  init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    scriptedDone = try container.decode(Int.self, forKey: .scriptedDone)
    alarms = try container.decode(AlarmMonitor.self, forKey: .alarms)
    effects = try container.decode(ChangeEffects.self, forKey: .effects)
    initialLoss = try container.decodeIfPresent(Double.self, forKey: .initialLoss)
    lastLoss = try container.decodeIfPresent(Double.self, forKey: .lastLoss)
    lastEvalLoss = try container.decodeIfPresent(Double.self, forKey: .lastEvalLoss)
    // Checkpoints from before a run could go back, stop by itself or remove any have none of these.
    batchOffset = try container.decodeIfPresent(Int.self, forKey: .batchOffset) ?? 0
    rewinds = try container.decodeIfPresent([RewindPoint].self, forKey: .rewinds) ?? []
    heldOutProgress =
      try container.decodeIfPresent(HeldOutProgress.self, forKey: .heldOutProgress)
      ?? HeldOutProgress()
    keeping =
      try container.decodeIfPresent(CheckpointKeeping.self, forKey: .keeping)
      ?? CheckpointKeeping()
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case scriptedDone, alarms, effects, initialLoss, lastLoss, lastEvalLoss, batchOffset, rewinds
    case heldOutProgress, keeping
  }
}
