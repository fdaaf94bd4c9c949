internal import Foundation

/// A loss in part of a teacher's distributions over the same tokens.
///
/// loss = (1 − a)·CE + a·τ²·KL(q‖p), the mean over tokens; q is the teacher's distribution and p the
/// model's, both at temperature τ.
/// - Source: Hinton et al. 2015 (1503.02531); a = 1/2 and one temperature for both as GroupMamba's
///   training (Shaker et al. 2024, 2407.13772) has from DeiT, whose soft form is also divided by the
///   number of classes: here it counts by token, so that a does not depend on the vocabulary
package struct Distillation: TokenLoss {
  /// a, from 0 to 1.
  package let share: Float
  /// τ, above 0.
  package let temperature: Float
  /// [rows·T, V], the teacher's logits, capped where its own are.
  package let teacher: FloatBuffer

  package init(share: Float, temperature: Float, teacher: FloatBuffer) {
    self.share = share
    self.temperature = temperature
    self.teacher = teacher
  }

  /// dy = (1 − a)·(p₁ − onehot) + a·τ·(p − q) + 2·zLoss·p₁·log Z, times `weight`; p₁ is the model's
  /// distribution at temperature 1.
  ///
  /// - Returns: Σ CE as the loss, Σ τ²·KL(q‖p) as the divergence
  package func becomeGradient(
    of logits: Matrix, tokens: TokenRows, zLoss: Float, cap: Float, weight: Float, firstRow: Int
  ) -> OutputSums {
    var sums = OutputSums()
    let softCap = cap > 0 ? SoftCap(cap) : nil
    tokens.forEach { index, _, target in
      let row = DistilledRow(
        logits: logits.row(index), width: logits.columns, target: target,
        teacher: teacher.base + (firstRow + index) * logits.columns, scratch: ThreadScratch.base())
      row.becomeGradient(&sums, softCap, self, zLoss: zLoss, scale: weight)
    }
    return sums
  }
}

/// One token's logits, the teacher's beside them.
private struct DistilledRow {
  let logits: UnsafeMutablePointer<Float>
  let width: Int
  let target: Int
  let teacher: UnsafeMutablePointer<Float>
  /// [3, V]
  let scratch: UnsafeMutablePointer<Float>

  private var slopes: UnsafeMutablePointer<Float> { scratch }
  private var own: UnsafeMutablePointer<Float> { scratch + width }
  private var wanted: UnsafeMutablePointer<Float> { scratch + 2 * width }

  func becomeGradient(
    _ sums: inout OutputSums, _ softCap: SoftCap?, _ loss: Distillation, zLoss: Float, scale: Float
  ) {
    if let softCap {
      _ = softCap.apply(logits, width)
      softCap.slopes(logits, into: slopes, width)
    }
    let own = soften(logits, loss.temperature, into: self.own)
    let wanted = soften(teacher, loss.temperature, into: self.wanted)
    let divergence = divergence(own, wanted, loss.temperature)
    let (row, targetLogit) = (measure(logits, width), logits[target])
    let sum = exponentials(logits, width, row.peak, keeping: true)
    let logZ = row.peak + log(sum)
    sums.loss += Double(logZ) - Double(targetLogit)
    sums.logZ += Double(logZ)
    sums.squaredLogZ += Double(logZ) * Double(logZ)
    sums.logitMean += Double(row.total) / Double(width)
    sums.divergence += Double(loss.temperature * loss.temperature * divergence)
    let plain = 1 - loss.share
    let pull = scale * loss.share * loss.temperature
    blend(
      scale * (plain + 2 * zLoss * logZ) / sum, own: pull / own.sum, wanted: pull / wanted.sum)
    logits[target] -= scale * plain
    guard softCap != nil else { return }
    for column in 0..<width { logits[column] *= slopes[column] }
  }

  /// Exponentials of x/τ less its largest, their sum, and ln Σ exp(x/τ).
  private func soften(
    _ x: UnsafeMutablePointer<Float>, _ temperature: Float,
    into target: UnsafeMutablePointer<Float>
  ) -> (sum: Float, logZ: Float) {
    let inverse = Lanes(repeating: 1 / temperature)
    forEachLanes(width) { index, lanes in
      target.store(x.lanes(index, count: lanes) * inverse, index, count: lanes)
    }
    let peak = measure(target, width).peak
    let sum = exponentials(target, width, peak, keeping: true)
    return (sum, peak + log(sum))
  }

  /// KL(q‖p) = Σ q·(z_q − z_p)/τ − ln Z_q + ln Z_p
  private func divergence(
    _ own: (sum: Float, logZ: Float), _ wanted: (sum: Float, logZ: Float), _ temperature: Float
  ) -> Float {
    var sum = Lanes.zero
    forEachLanes(width) { index, lanes in
      let apart = teacher.lanes(index, count: lanes) - logits.lanes(index, count: lanes)
      sum += self.wanted.lanes(index, count: lanes) * apart
    }
    return sum.sum() / (wanted.sum * temperature) + own.logZ - wanted.logZ
  }

  /// The row of exponentials times `plain`, and both softened ones with their factors.
  private func blend(_ plain: Float, own ownFactor: Float, wanted wantedFactor: Float) {
    let factors = (
      Lanes(repeating: plain), Lanes(repeating: ownFactor), Lanes(repeating: wantedFactor)
    )
    forEachLanes(width) { index, lanes in
      let soft =
        own.lanes(index, count: lanes) * factors.1 - wanted.lanes(index, count: lanes) * factors.2
      logits.store(logits.lanes(index, count: lanes) * factors.0 + soft, index, count: lanes)
    }
  }
}
