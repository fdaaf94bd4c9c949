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
    return experts(context).compactMap { layer, names in
      guard let first = names.first.flatMap(context.history.firstStep(of:)) else { return nil }
      let means = names.map { name in
        let mean = context.history[name]?.summary(of: steps).mean ?? .nan
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

  /// The loads that are told, layer by layer and expert by expert.
  private static func experts(_ context: PaneContext) -> [(layer: Int, names: [MetricName])] {
    let family = MetricCatalog.family(of: MetricCatalog.expertLoad(layer: 0, expert: 0))
    let members = context.members(ofFamily: family?.stem ?? "").filter {
      $0.numbers.count == 2 && $0.numbers.allSatisfy { $0 >= 0 }
    }
    return Dictionary(grouping: members) { $0.numbers[0] }.sorted { $0.key < $1.key }.map {
      ($0.key, $0.value.sorted { $0.numbers[1] < $1.numbers[1] }.map(\.name))
    }
  }

  static func percent(_ share: Double) -> String {
    share.isFinite ? "\(Int((min(max(share, -1e6), 1e6) * 100).rounded()))" : "NaN"
  }
}
