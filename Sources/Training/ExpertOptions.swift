import Models

extension TrainingConfiguration {
  /// Reads how many experts there are, how wide, where, and who chooses them.
  mutating func readExperts(_ options: [String: String]) {
    options.read("experts") { (count: Int) in
      guard count > 0 else { return model.experts = nil }
      let width = 2 * model.width
      var experts =
        model.experts ?? ExpertConfiguration(count: count, width: width, active: min(2, count))
      experts.count = count
      model.experts = experts
    }
    options.read("expert-width") { model.experts?.width = $0 }
    options.read("expert-every") { model.experts?.every = $0 }
    options.read("shared-expert-width") { model.experts?.sharedWidth = $0 }
    if let router = options["router"].flatMap(ExpertRouter.init) {
      model.experts?.router = router
      if router.conformer.sendsToOne { model.experts?.active = 1 }
      if !router.conformer.hasScores { balanceLoss = 0 }
      if router.conformer.hasState {
        model.experts?.routerWidth = max(1, min(128, model.width / 2))
      }
    }
    options.read("router-width") { model.experts?.routerWidth = $0 }
    options.read("expert-active") { model.experts?.active = $0 }
  }

  /// Refuses options of experts that are not there.
  func checkExpertsExist(_ options: [String: String]) throws(ConfigurationError) {
    if let experts = model.experts {
      guard options["router-width"] == nil || experts.router.conformer.hasState else {
        let names = ExpertRouter.names { $0.hasState }
        throw .impossible(
          reason: "router-width is the state of the router \(names), not of"
            + " \(experts.router.rawValue): leave it out, or give --router \(names)")
      }
      guard options["moe-consistency"] == nil || model.passes == 2 else {
        let names = ExpertRouter.names { $0.passes == 2 }
        throw .impossible(
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
    throw .impossible(reason: "--\(name) needs experts: add --experts 8")
  }

  /// Refuses what no mixture can be.
  func validateExperts() throws(ConfigurationError) {
    guard let experts = model.experts else {
      guard biasBalance == 0, capacity == 0, routerZLoss == 0 else {
        throw .impossible(
          reason: "this model has no experts: leave --moe-capacity, --moe-bias-balance and"
            + " --moe-router-z-loss out or add --experts 8")
      }
      return
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
      throw .impossible(
        reason:
          "the \(experts.router.rawValue) router has no softmax to hold: leave --moe-router-z-loss out"
      )
    }
  }

  private func validateScores(_ router: ExpertRouter) throws(ConfigurationError) {
    guard router.conformer.hasScores || (balanceLoss == 0 && biasBalance == 0 && routerZLoss == 0)
    else {
      throw .impossible(
        reason: "the \(router.rawValue) router has no scores to balance: leave --moe-aux-loss,"
          + " --moe-bias-balance and --moe-router-z-loss out")
    }
    guard router.conformer.hasCapacity || capacity == 0 else {
      throw .impossible(
        reason:
          "the \(router.rawValue) router sends a whole batch to one expert: leave --moe-capacity out"
      )
    }
  }

  /// The options that give these experts again.
  var expertOptions: [String: String] {
    guard let experts = model.experts else { return ["experts": "0"] }
    var options = [
      "experts": "\(experts.count)", "expert-width": "\(experts.width)",
      "expert-active": "\(experts.active)", "expert-every": "\(experts.every)",
      "shared-expert-width": "\(experts.sharedWidth)", "router": experts.router.rawValue,
    ]
    if model.passes == 2 { options["moe-consistency"] = "\(consistency)" }
    if experts.router.conformer.hasState { options["router-width"] = "\(experts.routerWidth)" }
    return options
  }
}
