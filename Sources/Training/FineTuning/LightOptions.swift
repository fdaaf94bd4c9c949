import Models

/// The options of a run that prunes the model and its adapter before it trains what is left.
extension RunOptionCatalog {
  static let light: [RunOption] = [
    .count(
      "light", 0...1_000_000, \.light,
      help:
        "with methods lora and bottleneck: steps to find out in what of the model and of the adapter"
        + " is needed; the rest is cut out, and what is left is trained (Light-PEFT); 0 prunes nothing"
    ) { $0.light > 0 },
    .number(
      "light-trunk", 0...0.95, \.lightShares.trunk,
      help: "with light: share of each layer's heads and of all hidden channels to cut out"
    ) { $0.light > 0 },
    .number(
      "light-modules", 0...0.95, \.lightShares.modules,
      help: "with light: share of the adapter's modules to cut out"
    ) { $0.light > 0 },
    .number(
      "light-ranks", 0...0.95, \.lightShares.ranks,
      help: "with light: share of the other modules' ranks to cut out"
    ) { $0.light > 0 },
  ]

  /// The estimating steps that suit a run of `steps`: a tenth of them.
  package static func usualLight(steps: Int) -> Int { max(1, steps / 10) }
}

extension TrainingConfiguration {
  /// Refuses what has no place where a model is pruned.
  func checkLight(_ options: [String: String]) throws(ConfigurationError) {
    guard light > 0 else {
      let shares = ["light-trunk", "light-modules", "light-ranks"]
      guard let name = shares.first(where: { options[$0] != nil }) else { return }
      throw .impossible(reason: "\(name) belongs to --light: give it some steps, or leave it out")
    }
    guard model.adapter?.method.isPrunable == true else {
      throw .impossible(
        reason: "light prunes beside lora and bottleneck, not beside"
          + " \(model.adapter?.method.rawValue ?? RunOptionCatalog.fullMethod): give --method lora,"
          + " or leave it out")
    }
    guard model.architecture == .persimmon else {
      throw .impossible(
        reason: "light cuts heads out of persimmon's layers, not out of"
          + " \(model.architecture.rawValue)'s: leave it out")
    }
    let faults = [
      ("reward", reward != nil), ("anchor", anchor > 0), ("adapter", startingAdapter != nil),
      ("distil", distil != nil),
    ]
    guard let fault = faults.first(where: \.1) else { return }
    throw .impossible(
      reason: "light estimates with a new adapter by the data's loss alone: leave \(fault.0) out")
  }
}
