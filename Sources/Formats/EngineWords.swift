import Telemetry

/// What a line on a run says of one that Seismo trains itself, beyond what every trainer may say: the
/// model's shape and the schedule.
enum EngineWords {
  /// The member's name.
  static let key = "engine"

  private static var numbers: [(name: String, place: WritableKeyPath<RunDescription, Double?>)] {
    [
      ("peak_learning_rate", \.peakLearningRate), ("minimum_learning_rate", \.minimumLearningRate),
      ("entropy_per_byte", \.entropyPerByte), ("initial_loss", \.initialLoss),
    ]
  }

  private typealias Model = RunDescription.Model

  /// The member's object; nil for a run of another trainer's.
  static func object(_ description: RunDescription) -> String? {
    guard let model = description.model else { return nil }
    var members = Model.sizes.map { "\"\($0.name)\":\(model[keyPath: $0.place])" }
    if let preset = model.preset { members.append("\"preset\":\(JSONLines.quoted(preset))") }
    if let warmup = description.warmup { members.append("\"warmup\":\(warmup)") }
    for (name, place) in numbers {
      guard let number = description[keyPath: place] else { continue }
      members.append("\"\(name)\":\(JSONLines.number(number))")
    }
    return "{\(members.joined(separator: ","))}"
  }

  /// Takes in what the member says; nothing where a size is missing, or is one that no model has.
  static func read(_ value: JSONValue, into description: inout RunDescription) {
    var model = Model(
      preset: value["preset"]?.text, width: 0, layers: 0, heads: 0, context: 0, batch: 0,
      experts: 0, parameters: 0)
    for (name, place, most) in Model.sizes {
      guard let size = value[name]?.step, (0...most).contains(size) else { return }
      model[keyPath: place] = size
    }
    description.model = model
    description.warmup = value["warmup"]?.step.flatMap { $0 >= 0 ? $0 : nil }
    for (name, place) in numbers { description[keyPath: place] = value[name]?.number }
  }
}
