import Telemetry

/// A loss that stays above its own best level, and one that has lost much of what was learnt.
///
/// Both end only where the loss is as good again as it was: a window that has got used to the
/// trouble says nothing. Before the loss has fallen at all, its start is its best level.
struct LossLevelRule: Sendable {
  /// Of the best level, and of the start's: less is no trouble, however still the loss has been.
  private static let leastShare = 0.01
  private static let leastLoss = 0.1

  let levels: LossLevels

  func findings(_ context: AlarmContext) -> [AlarmFinding] {
    [diverged(context), above(context)].compactMap { $0 }
  }

  private func above(_ context: AlarmContext) -> AlarmFinding? {
    guard let best = levels.best, let present = levels.present, let sound = levels.soundLevel
    else { return nil }
    let rise = present - best.level
    let limit = max(
      context.level(.lossAboveBest) * best.deviation, Self.leastShare * abs(best.level))
    return AlarmFinding(
      rule: .lossAboveBest, onset: levels.soundUntil,
      reading: rise > limit ? .trouble : (present <= sound ? .quiet : .between),
      alarm: {
        let deviations =
          best.deviation > 0
          ? "\(NumberText.compact(rise / best.deviation, digits: 2))σ" : NumberText.compact(rise)
        return AlarmText(
          sentence: "loss \(NumberText.compact(present)) stays \(deviations) above its level "
            + "\(NumberText.compact(best.level)) of step \(NumberText.grouped(best.step))",
          hint: .halveRate,
          values: ["loss.level": present, "loss.best": best.level, "best_step": Double(best.step)])
      },
      calm: { Self.calm(present, best) })
  }

  private func diverged(_ context: AlarmContext) -> AlarmFinding? {
    guard let start = levels.start, let now = levels.present ?? levels.lastBlock else { return nil }
    let best = levels.best?.level ?? start
    let deviation = levels.best?.deviation ?? levels.deviation ?? 0
    let learnt = start - min(best, start)
    let limit = max(
      context.level(.lossDiverged) * learnt, Self.leastLoss * abs(start), 6 * deviation)
    let isBack = now <= levels.soundLevel ?? start
    return AlarmFinding(
      rule: .lossDiverged, onset: levels.soundUntil,
      reading: now > min(best, start) + limit ? .trouble : (isBack ? .quiet : .between),
      alarm: {
        AlarmText(
          sentence: Self.sentence(now, best: best, start: start),
          hint: .halveRate,
          values: ["loss.level": now, "loss.best": best, "loss.start": start])
      },
      calm: { [levels] in levels.best.map { Self.calm(now, $0) } ?? "loss falls" })
  }

  private static func sentence(_ now: Double, best: Double, start: Double) -> String {
    let loss = "loss \(NumberText.compact(now)) has diverged, though finite: "
    guard best < start, now < start else {
      return loss + "it stays above its start \(NumberText.compact(start))"
    }
    let share = NumberText.percent((now - best) / (start - best))
    return loss + "\(share) of the way back from its best \(NumberText.compact(best)) "
      + "to its start \(NumberText.compact(start))"
  }

  private static func calm(_ now: Double, _ best: LossLevels.Best) -> String {
    "loss back at \(NumberText.compact(now)), its level before was \(NumberText.compact(best.level))"
  }
}
