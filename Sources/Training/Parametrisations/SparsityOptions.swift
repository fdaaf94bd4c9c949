import Models

extension TrainingConfiguration {
  /// Refuses exchanges of blocks where all of them are there.
  func checkSparsity(_ options: [String: String]) throws(ConfigurationError) {
    guard options["regrow"] != nil, sparsity == 0 else { return }
    throw .idle(
      option: "regrow", reason: "--regrow needs blocks that are not there: add --sparsity 0.8")
  }

  /// Refuses what works on whole matrices alone.
  func validateSparsity() throws(ConfigurationError) {
    guard sparsity > 0 else { return }
    let regrowth = RegrowthSchedule(every: regrow, steps: steps)
    guard regrow == 0 || regrow == Self.usualRegrow || regrowth.isEverDue else {
      throw .idle(
        option: "regrow",
        reason: "blocks are exchanged in the first three quarters of the run, and --regrow"
          + " \(regrow) comes after those of \(steps) steps: give fewer, or 0")
    }
    if optimizer == .muon {
      throw .impossible(
        reason:
          "muon's updates are whole matrices, and --sparsity leaves blocks out: choose another"
          + " optimizer")
    }
    if optimizer == .mezo || subspace > 0 {
      throw .impossible(
        reason:
          "\(subspace > 0 ? "subspace" : "mezo") moves weights that --sparsity leaves out: choose"
          + " one of them")
    }
    if model.sigmaReparam {
      throw .impossible(
        reason:
          "sigma-reparam divides whole matrices by σ, and --sparsity leaves blocks out: choose"
          + " one of them")
    }
    if sharpnessEvery > 0 {
      throw .impossible(
        reason: "sharpness is that of whole matrices, and --sparsity leaves blocks out: leave"
          + " --sharpness-every out")
    }
  }
}
