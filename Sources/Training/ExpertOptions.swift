import Models

extension TrainingConfiguration {
  /// Makes it a mixture of so many experts, or a dense model for 0.
  mutating func setExperts(_ count: Int) {
    guard count > 0 else { return model.experts = nil }
    let width = 2 * model.width
    model.experts =
      model.experts ?? ExpertConfiguration(count: count, width: width, active: min(2, count))
    model.experts?.count = count
  }

  /// Has `router` choose the experts, with what it is usually run with wherever `options` say
  /// nothing else.
  mutating func setRouter(_ router: ExpertRouter, besides options: [String: String]) {
    model.experts?.router = router
    let kind = router.conformer
    if kind.sendsToOne, options["expert-active"] == nil { model.experts?.active = 1 }
    if !kind.hasScores, options["moe-aux-loss"] == nil { balanceLoss = 0 }
    if kind.hasState { model.experts?.routerWidth = max(1, min(128, model.width / 2)) }
  }

  /// Refuses options of experts that are not there.
  func checkExpertsExist(_ options: [String: String]) throws(ConfigurationError) {
    if let experts = model.experts {
      guard options["router-width"] == nil || experts.router.conformer.hasState else {
        let names = ExpertRouter.names { $0.hasState }
        throw .idle(
          option: "router-width",
          reason: "router-width is the state of the router \(names), not of"
            + " \(experts.router.rawValue): leave it out, or give --router \(names)")
      }
      guard options["moe-consistency"] == nil || model.passes == 2 else {
        let names = ExpertRouter.names { $0.passes == 2 }
        throw .idle(
          option: "moe-consistency",
          reason: "moe-consistency holds the two passes of the router \(names) together, and"
            + " \(experts.router.rawValue) takes one: leave it out, or give --router \(names)")
      }
      return
    }
    let names = [
      "expert-width", "expert-every", "expert-active", "shared-expert-width", "router",
      "router-width", "moe-consistency",
    ]
    guard let name = names.first(where: { options[$0] != nil }) else { return }
    throw .idle(option: name, reason: "--\(name) needs experts: add --experts 8")
  }

  /// Refuses what no mixture can be.
  func validateExperts() throws(ConfigurationError) {
    guard let experts = model.experts else {
      let told = [
        ("moe-capacity", capacity > 0), ("moe-bias-balance", biasBalance > 0),
        ("moe-router-z-loss", routerZLoss > 0),
      ]
      guard let option = told.first(where: \.1)?.0 else { return }
      throw .idle(
        option: option,
        reason: "this model has no experts: leave --moe-capacity, --moe-bias-balance and"
          + " --moe-router-z-loss out or add --experts 8")
    }
    guard experts.active <= experts.count else {
      throw .impossible(
        reason: "a token cannot go to \(experts.active) of \(experts.count) experts:"
          + " lower --expert-active")
    }
    guard !experts.router.conformer.sendsToOne || experts.active == 1 else {
      throw .impossible(
        reason: "the \(experts.router.rawValue) router sends a token to one expert: leave"
          + " --expert-active out")
    }
    try validateScores(experts.router)
    guard model.layers >= experts.every else {
      throw .impossible(
        reason: "experts in every second layer need two layers: leave --expert-every out")
    }
    guard routerZLoss == 0 || experts.router.conformer.hasSoftmax else {
      throw .idle(
        option: "moe-router-z-loss",
        reason:
          "the \(experts.router.rawValue) router has no softmax to hold: leave --moe-router-z-loss out"
      )
    }
  }

  private func validateScores(_ router: ExpertRouter) throws(ConfigurationError) {
    let told = [
      ("moe-aux-loss", balanceLoss != 0), ("moe-bias-balance", biasBalance != 0),
      ("moe-router-z-loss", routerZLoss != 0),
    ]
    if !router.conformer.hasScores, let option = told.first(where: \.1)?.0 {
      throw .idle(
        option: option,
        reason: "the \(router.rawValue) router has no scores to balance: leave --moe-aux-loss,"
          + " --moe-bias-balance and --moe-router-z-loss out")
    }
    guard router.conformer.hasCapacity || capacity == 0 else {
      throw .idle(
        option: "moe-capacity",
        reason:
          "the \(router.rawValue) router sends a whole batch to one expert: leave --moe-capacity out"
      )
    }
  }
}
