/// What a layer of state spaces says of itself, and of each of its groups of channels.
extension MetricCatalog {
  /// The line of the table with the largest state of each such layer.
  package static let stateSizes = "ssm_state_max"

  package static func stateSize(layer: Int) -> MetricName {
    layerSignal(stateSizes, layer: layer)
  }

  package static func smallestStateStep(layer: Int) -> MetricName {
    layerSignal("ssm_delta_min", layer: layer)
  }

  package static func largestStateStep(layer: Int) -> MetricName {
    layerSignal("ssm_delta_max", layer: layer)
  }

  /// The line of the table with what each group keeps of its state.
  package static let keptStates = "ssm_decay"

  package static func keptState(layer: Int, group: Int) -> MetricName {
    layerSignal(keptStates, layer: layer, part: group)
  }

  package static func stateGate(layer: Int, group: Int) -> MetricName {
    layerSignal("ssm_modulation", layer: layer, part: group)
  }
}
