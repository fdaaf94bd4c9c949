import Telemetry

/// Experts that the router starves or floods.
///
/// The first steps of a router are noise, so it starts after 200 of them.
struct ExpertRule: Sendable {
  static let firstStep = 200
  /// MaxVio above which a layer's busiest expert is overloaded. Three times the mean, where panes
  /// mark it, is close to collapse for top-2 of 8, whose possible largest is 3.
  static let largestViolation = 1.5
  private static let calmViolation = 1.2
  private static let calmShare = 1.0 / 4

  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard context.step >= Self.firstStep else { return [] }
    return context.layout.experts.flatMap { layer -> [AlarmFinding] in
      let loads = layer.indices.map { context.samples.values[$0] }
      guard loads.count > 1, loads.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return [] }
      let balance = ExpertBalance(loads: loads)
      guard balance.shares.contains(where: { $0 > 0 }) else { return [] }
      return dead(balance, layer: layer.layer, context)
        + [overloaded(balance, layer: layer.layer, context)]
    }
  }

  private func dead(
    _ balance: ExpertBalance, layer: Int, _ context: AlarmContext
  ) -> [AlarmFinding] {
    let even = 1 / Double(balance.shares.count)
    return balance.shares.enumerated().map { expert, share in
      let reading: AlarmLatch.Reading =
        if share < even * ExpertBalance.deadBelow {
          .trouble
        } else {
          share > even * Self.calmShare ? .quiet : .between
        }
      return AlarmFinding(
        rule: .deadExpert, subject: "\(layer)/\(expert)", reading: reading,
        alarm: {
          AlarmText(
            sentence: "expert \(expert) of L\(layer) is dead: \(Self.percent(share)) of the load, "
              + "an even share is \(Self.percent(even)): the router has stopped choosing it",
            hint: Self.hint(context),
            values: [
              "layer": Double(layer), "expert": Double(expert), "load": share, "even": even,
            ])
        },
        calm: { "expert \(expert) of L\(layer) is back: \(Self.percent(share)) of the load" })
    }
  }

  private func overloaded(
    _ balance: ExpertBalance, layer: Int, _ context: AlarmContext
  ) -> AlarmFinding {
    let violation = balance.maxViolation
    let reading: AlarmLatch.Reading =
      if violation > Self.largestViolation {
        .trouble
      } else {
        violation < Self.calmViolation ? .quiet : .between
      }
    return AlarmFinding(
      rule: .overloadedExpert, subject: "\(layer)", reading: reading,
      alarm: {
        let expert = balance.shares.indices.max { balance.shares[$0] < balance.shares[$1] } ?? 0
        let share = balance.shares[expert]
        return AlarmText(
          sentence: "expert \(expert) of L\(layer) is overloaded: \(Self.percent(share)) of the "
            + "load, MaxVio \(NumberText.compact(violation)): the router leans on few experts",
          hint: Self.hint(context),
          values: [
            "layer": Double(layer), "expert": Double(expert), "load": share,
            "max_violation": violation,
          ])
      },
      calm: { "load of L\(layer) is even again: MaxVio \(NumberText.compact(violation))" })
  }

  private static func hint(_ context: AlarmContext) -> String {
    context.isOn(SettingCatalog.balanceLoss)
      ? "m: raise moe.aux_loss" : "m: switch moe.aux_loss on (0.01)"
  }

  private static func percent(_ share: Double) -> String {
    NumberText.compact(share * 100, digits: 2) + "%"
  }
}
