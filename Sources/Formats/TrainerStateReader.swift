import Telemetry

/// Reads `trainer_state.json`, which Hugging Face's trainer writes into its checkpoints.
enum TrainerStateReader {
  /// - Throws: `damaged` where it is no JSON, `noSamples` where it has no history.
  static func run(_ bytes: [UInt8], path: String) throws(FormatError) -> RecordedRun {
    let value: JSONValue
    do {
      value = try JSONValue(bytes)
    } catch {
      throw .damaged(path: path, offset: error.offset, what: error.what)
    }
    guard case .list(let history)? = value["log_history"] else { throw .noSamples(path: path) }
    var assembly = RunAssembly()
    for entry in history {
      guard let step = entry["step"]?.step else { continue }
      for member in entry.members ?? [] where member.key != "step" {
        guard case .number(let number) = member.value else { continue }
        assembly.add(member.key, step: step, wallTime: nil, value: number)
      }
    }
    var run = assembly.finished()
    let (done, planned) = (value["global_step"]?.step, value["max_steps"]?.step)
    run.state = planned.map { (done ?? 0) >= $0 } == true ? .finished : .stopped
    run.description = RunDescription(name: "", created: 0, totalSteps: planned)
    for key in ["num_train_epochs", "train_batch_size", "logging_steps", "eval_steps"] {
      if let number = value[key]?.number {
        run.description?.options[key] = SettingValue.number(number).description
      }
    }
    return run
  }
}
