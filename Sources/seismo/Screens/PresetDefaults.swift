import Training

/// What each preset says of every option, so that the screen tells what a run has of its own.
enum PresetDefaults {
  static let all: [String: [String: String]] = Dictionary(
    uniqueKeysWithValues: Preset.allCases.map { preset in
      let configuration = try? TrainingConfiguration(options: ["preset": preset.rawValue])
      return (preset.rawValue, configuration?.options ?? [:])
    })
}
