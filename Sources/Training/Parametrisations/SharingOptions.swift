import Models

extension TrainingConfiguration {
  /// Refuses what needs matrices with numbers of their own.
  func validateSharing() throws(ConfigurationError) {
    guard model.sharing > 0 else { return }
    let foreign: [(isOn: Bool, name: String)] = [
      (optimizer == .muon, "muon"), (model.sigmaReparam, "sigma-reparam"),
      (sparsity > 0, "sparsity"), (muParam, "mu-param"), (qkClip > 0, "qk-clip"),
      (frozenBlocks > 0, "freeze"), (sharpnessEvery > 0, "sharpness-every"),
      (optimizer == .mezo, "mezo"), (subspace > 0, "subspace"),
    ]
    guard let name = foreign.first(where: \.isOn)?.name else { return }
    throw .impossible(
      reason:
        "\(name) needs matrices of their own, and with --share-parameters all are read from one"
        + " array: choose one of them")
  }
}
