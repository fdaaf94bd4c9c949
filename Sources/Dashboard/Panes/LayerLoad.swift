import Signals
import Telemetry

/// One layer's shares over the last steps.
struct LayerLoad: Sendable {
  let layer: Int
  let balance: ExpertBalance
  /// Whether they were so for as many steps as it takes to call an expert dead.
  var isTold = true

  var dead: [Int] { isTold ? balance.dead : [] }
  var overloaded: [Int] { isTold ? balance.overloaded : [] }

  /// Every layer's loads, the mean of as many steps up to the playhead as an alarm looks at.
  static func all(_ context: PaneContext) -> [LayerLoad] {
    let last = context.playhead + 1
    let steps = max(0, last - ExpertBalance.stepsToTell)..<last
    let thresholds = context.thresholds
    return (0..<(context.description?.model?.layers ?? 128)).compactMap { layer in
      let experts = context.indexed { MetricCatalog.expertLoad(layer: layer, expert: $0) }
      guard let first = experts.first?.series.firstStep else { return nil }
      let means = experts.map { _, name, series in
        let mean = series.summary(of: steps).mean
        return mean.isFinite ? mean : (context.value(name) ?? 0)
      }
      return LayerLoad(
        layer: layer,
        balance: ExpertBalance(
          loads: means, deadBelow: thresholds.level(.deadExpert),
          overloadedAbove: thresholds.level(.overloadedExpert)),
        isTold: last - first >= ExpertBalance.stepsToTell)
    }
  }

  static func percent(_ share: Double) -> String {
    share.isFinite ? "\(Int((min(max(share, -1e6), 1e6) * 100).rounded()))" : "NaN"
  }
}
