import Models

extension RunOptionCatalog {
  static let distillation: [RunOption] = [
    RunOption(
      name: "distil", kind: .text,
      help: "a checkpoint whose outputs are learnt beside the data, which must be what it was"
        + " trained on; or a model as transformers writes it"
    ) { words, _, configuration in
      configuration.distil = words
    } words: {
      $0.distil
    },
    .number(
      "distil-weight", 0...1, \.distilWeight,
      help: "with distil: the teacher's share of the loss; the data has the rest"
    ) { $0.distil != nil },
    .number(
      "distil-temperature", 0.01...100, \.distilTemperature,
      help: "with distil: what both models' logits are divided by where they are held together"
    ) { $0.distil != nil },
  ]
}

extension TrainingConfiguration {
  /// Refuses what has no place in a run that learns from a teacher, or that has none.
  func checkDistillation(_ options: [String: String]) throws(ConfigurationError) {
    guard distil != nil else {
      let names = ["distil-weight", "distil-temperature"]
      guard let name = names.first(where: { options[$0] != nil }) else { return }
      throw .impossible(reason: "\(name) needs a teacher: give its checkpoint with --distil")
    }
    let twoPasses = ExpertRouter.names { $0.passes == 2 }
    let faults = [
      (anchor > 0, "anchor and distil both change the loss of a step: leave one of them out"),
      (reward != nil, "reward and distil both change the loss of a step: leave one of them out"),
      (corrupt > 0, "corrupt would have the teacher of distil read noise: leave one of them out"),
      (
        model.passes == 2,
        "distil needs a router of one pass a step, and \(twoPasses) takes two: choose another router,"
          + " or leave distil out"
      ),
    ]
    guard sharpnessEvery == 0 else { throw .sharpness(besides: "distil") }
    guard let fault = faults.first(where: \.0) else { return }
    throw .impossible(reason: fault.1)
  }
}
