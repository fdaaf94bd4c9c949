import Models
import Telemetry

extension ModelConfiguration {
  /// Has these layers mix by state spaces, and all others by attention.
  mutating func setStateSpaces(inLayers listed: [Int]) {
    let count = max(layers, (listed.max() ?? 0) + 1)
    mixers = (0..<count).map { listed.contains($0) ? .ssm : .attention }
  }

  /// Whether the groups of a layer of state spaces, where there is one, divide the width.
  var fitsStateSpaces: Bool {
    width % GroupedStateSpace.groups == 0
      || !(0..<layers).contains { mixer(inLayer: $0) == .ssm }
  }
}

extension TrainingConfiguration {
  /// Refuses two words for the layers' mixers, and layers that are not there.
  func checkMixers(_ options: [String: String]) throws(ConfigurationError) {
    guard options["ssm-layers"] != nil else { return }
    guard options["mixer"] == nil else {
      throw .impossible(
        reason: "--mixer is that of all layers and --ssm-layers names some: give one of them")
    }
    guard model.mixers.count <= model.layers else {
      throw .impossible(
        reason:
          "--ssm-layers \(model.mixers.count - 1): the \(model.layers) layers are counted from"
          + " 0 to \(model.layers - 1)")
    }
  }

  /// Refuses what no mixer of the model can be, or what all of them ignore.
  func validateMixers() throws(ConfigurationError) {
    guard model.fitsStateSpaces else {
      throw .impossible(
        reason: "the mixer ssm has \(GroupedStateSpace.groups) groups of channels, which do not"
          + " divide a width of \(model.width): choose a multiple")
    }
    guard !model.hasAttention else { return }
    let started = SettingCatalog.entries.filter {
      $0.needs.contains(.attention) && starts[$0.name]?.isOn == true
    }
    let others = [
      ("per-head-logits", tellsHeadLogits), ("blend-steps", blendSteps != Self.usualBlendSteps),
      ("rope-theta", model.rotaryBase != ModelConfiguration.usualRotaryBase),
    ]
    guard let name = started.first?.option ?? others.first(where: \.1)?.0 else { return }
    throw .idle(
      option: name,
      reason: "\(name) is about attention, and no layer has any: leave it out, or give"
        + " --ssm-layers instead of --mixer ssm")
  }
}
