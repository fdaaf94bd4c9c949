import Telemetry

/// Decodes a document of JSON that is written whole: `trainer_state.json`, which Hugging Face's trainer
/// writes into its checkpoints, a list of rows, or a column each metric. It tells nothing before its
/// end.
package struct TrainerStateDecoder: LogDecoder {
  private let path: String
  private var bytes: [UInt8] = []
  private var lines = JSONLineReader()

  package init(path: String) {
    self.path = path
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    self.bytes += bytes
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    let value: JSONValue
    do {
      value = try JSONValue(bytes)
    } catch {
      throw .damaged(path: path, offset: error.offset, what: error.what)
    }
    bytes = []
    if case .list(let rows) = value {
      for row in rows { lines.take(row.members ?? [], into: &batch) }
      return
    }
    guard case .list(let history)? = value["log_history"] else {
      return lines.take(value.members ?? [], into: &batch)
    }
    for entry in history where entry["step"]?.step != nil {
      lines.take(entry.members ?? [], into: &batch)
    }
    let (done, planned) = (value["global_step"]?.step, value["max_steps"]?.step)
    batch.state = planned.map { (done ?? 0) >= $0 } == true ? .finished : .stopped
    batch.description.totalSteps = planned
    for key in ["num_train_epochs", "train_batch_size", "logging_steps", "eval_steps"] {
      if let number = value[key]?.number {
        batch.description.options[key] = SettingValue.number(number).description
      }
    }
  }
}
