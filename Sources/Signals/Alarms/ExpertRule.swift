import Telemetry

/// Experts that the router starves or floods.
///
/// The first steps of a router are noise, so it starts after 200 of them.
struct ExpertRule: Sendable {
  static let firstStep = 200
  /// Of the violation at which the rule raises. 2.5 even shares are a MaxVio of 1.5; for top-2 of 8
  /// the possible largest is 3.
  private static let calmViolation = 0.8

  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    guard context.step >= Self.firstStep else { return [] }
    return context.layout.experts.flatMap { layer -> [AlarmFinding] in
      let loads = layer.indices.map { context.samples.values[$0] }
      guard loads.count > 1, loads.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return [] }
      let balance = ExpertBalance(loads: loads)
      guard balance.shares.contains(where: { $0 > 0 }) else { return [] }
      return [
        dead(balance, layer: layer.layer, context),
        overloaded(balance, layer: layer.layer, context),
      ]
    }
  }

  /// A layer at a time: in a router out of balance, who starves changes from step to step. As many
  /// steps as it takes to say so it takes to take it back.
  private func dead(
    _ balance: ExpertBalance, layer: Int, _ context: AlarmContext
  ) -> AlarmFinding {
    let even = 1 / Double(balance.shares.count)
    let level = even * context.level(.deadExpert)
    let least = balance.shares.min() ?? even
    let starving = balance.shares.indices.filter {
      balance.shares[$0] < level
    }
    return AlarmFinding(
      rule: .deadExpert, subject: "\(layer)", reading: starving.isEmpty ? .quiet : .trouble,
      alarm: {
        AlarmText(
          sentence: Self.obituary(starving, least: least, even: even, layer: layer),
          hint: Self.hint(context),
          values: [
            "layer": Double(layer), "expert": Double(starving.first ?? 0), "load": least,
            "even": even, "dead": Double(starving.count),
          ])
      },
      calm: {
        "every expert of L\(layer) is chosen again: the least gets \(NumberText.percent(least))"
      })
  }

  private static func obituary(
    _ starving: [Int], least: Double, even: Double, layer: Int
  ) -> String {
    let names = starving.map { "E\($0)" }.joined(separator: ", ")
    return "L\(layer) \(names) dead: \(NumberText.percent(least)) of \(NumberText.percent(even)): "
      + "the router has stopped choosing \(starving.count == 1 ? "it" : "them")"
  }

  private func overloaded(
    _ balance: ExpertBalance, layer: Int, _ context: AlarmContext
  ) -> AlarmFinding {
    let violation = balance.maxViolation
    let largest = context.level(.overloadedExpert) - 1
    let reading: AlarmLatch.Reading =
      if violation > largest {
        .trouble
      } else {
        violation < Self.calmViolation * largest ? .quiet : .between
      }
    return AlarmFinding(
      rule: .overloadedExpert, subject: "\(layer)", reading: reading,
      alarm: {
        let expert = balance.shares.indices.max { balance.shares[$0] < balance.shares[$1] } ?? 0
        let share = balance.shares[expert]
        return AlarmText(
          sentence:
            "L\(layer) E\(expert) overloaded: \(NumberText.percent(share)) of "
            + "\(NumberText.percent(1 / Double(balance.shares.count))), MaxVio "
            + "\(NumberText.compact(violation)): the router leans on few experts",
          hint: Self.hint(context),
          values: [
            "layer": Double(layer), "expert": Double(expert), "load": share,
            "max_violation": violation,
          ])
      },
      calm: { "load of L\(layer) is even again: MaxVio \(NumberText.compact(violation))" })
  }

  private static func hint(_ context: AlarmContext) -> AlarmHint {
    .change(
      context.isOn(SettingCatalog.balanceLoss)
        ? "raise moe.aux_loss" : "switch moe.aux_loss on (0.01)")
  }
}
