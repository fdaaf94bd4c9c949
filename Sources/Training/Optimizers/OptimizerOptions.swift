import Models

extension TrainingConfiguration {
  /// The options that only losses in the place of gradients have a use for.
  package static let mezoOptions = ["mezo-eps", "mezo-sparsity", "mezo-mask"]

  /// Refuses what mezo is told where another optimizer is chosen.
  func checkMeZOIsChosen(_ options: [String: String]) throws(ConfigurationError) {
    guard optimizer != .mezo, let name = Self.mezoOptions.first(where: { options[$0] != nil })
    else { return }
    throw .idle(
      option: name,
      reason: "--\(name) needs losses in place of gradients: add --optimizer mezo")
  }

  /// What changes single weights, or takes them for matrices.
  private func validateSubspace() throws(ConfigurationError) {
    guard subspace > 0 else { return }
    guard subspace <= model.parameterCount else {
      throw .impossible(
        reason: "a subspace of \(subspace) dimensions in \(model.parameterCount) weights: give"
          + " --subspace fewer")
    }
    let faults = [
      (optimizer == .muon, "muon is for matrices"),
      (optimizer == .mezo, "mezo masks single weights"),
      (muParam, "mu-param is for matrices"),
      (model.sigmaReparam, "sigma-reparam is for matrices"),
      (sharpnessEvery > 0, "sharpness-every is that of all weights"),
      (qkClip > 0, "qk-clip shrinks single weights"),
      (frozenBlocks > 0, "freeze keeps single weights"),
    ]
    guard let fault = faults.first(where: \.0) else { return }
    throw .impossible(
      reason: "\(fault.1), and in a subspace all weights move together: leave it out")
  }

  /// What needs gradients, or another loss than the data's.
  private func validateMeZO() throws(ConfigurationError) {
    guard optimizer == .mezo else { return }
    guard mezo.sparsity > 0 || mezo.mask == SparseMeZO.Options().mask else {
      throw .idle(
        option: "mezo-mask",
        reason: "mezo-mask says which weights stay, and with --mezo-sparsity 0 none does: leave it"
          + " out, or give --mezo-sparsity 0.75")
    }
    let faults = [
      (muParam, "mu-param scales the rates of gradients"),
      (model.sigmaReparam, "sigma-reparam trains other weights than the losses see"),
      (sharpnessEvery > 0, "sharpness-every follows gradients"),
      (shardsOptimizer, "shard-optimizer shares moments out"),
      (model.passes == 2, "the router \(ExpertRouter.names { $0.passes == 2 }) takes two passes"),
    ]
    if let fault = faults.first(where: \.0) {
      throw .impossible(
        reason: "\(fault.1), and mezo takes losses alone: leave it out, or choose another optimizer"
      )
    }
    let objectives = [("anchor", anchor > 0), ("reward", reward != nil), ("distil", distil != nil)]
    guard let name = objectives.first(where: \.1)?.0 else { return }
    throw .impossible(
      reason: "mezo trains by the data's loss alone, without \(name): leave \(name) out, or choose"
        + " another optimizer")
  }

  /// Refuses what the optimizer has no place for.
  func validateOptimizer() throws(ConfigurationError) {
    try validateMeZO()
    try validateSubspace()
    if updateClip > 0, !optimizer.hasSecondMoments {
      throw .idle(
        option: "update-clip",
        reason: "update-clip compares gradients with second moments, and \(optimizer.rawValue)"
          + " keeps none: leave it out, or choose adamw")
    }
    if muParam, optimizer == .muon {
      throw .impossible(
        reason: "mu-param and muon both scale the matrices' rates: choose one of them")
    }
    if sharpnessEvery > 0, !optimizer.hasPreconditioner || model.sigmaReparam {
      let name = model.sigmaReparam ? "sigma-reparam" : optimizer.rawValue
      throw .impossible(
        reason: "sharpness is that of weights an adaptive step divides, not of \(name)'s: leave"
          + " --sharpness-every out")
    }
  }
}
