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
    let scratch = ThreadScratch.base(3 * logits.columns)
    tokens.forEach { index, _, target in
      let row = DistilledRow(
        logits: logits.row(index), width: logits.columns, target: target,
        teacher: teacher.base + (firstRow + index) * logits.columns, scratch: scratch)
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
    let temperature = Double(loss.temperature)
    sums.divergence += temperature * temperature * divergence(own, wanted, loss.temperature)
    let (row, targetLogit) = (measure(logits, width), logits[target])
    let sum = exponentials(logits, width, row.peak, keeping: true)
    let logZ = row.peak + log(sum)
    sums.loss += Double(logZ) - Double(targetLogit)
    sums.add(logZ: logZ, total: row.total, width: width)
    let plain = 1 - loss.share
    let pull = scale * loss.share * loss.temperature
    blend(
      scale * (plain + 2 * zLoss * logZ) / sum, own: pull / own.sum, wanted: pull / wanted.sum)
    logits[target] -= scale * plain
    if softCap != nil { multiplyRow(logits, by: slopes, width) }
  }

  /// A softened row, of which the exponentials of x/τ less their largest are kept.
  private struct Softened {
    /// The largest x/τ.
    let peak: Float
    /// Of the exponentials.
    let sum: Float

    var logZ: Float { peak + log(sum) }
  }

  private func soften(
    _ x: UnsafeMutablePointer<Float>, _ temperature: Float,
    into target: UnsafeMutablePointer<Float>
  ) -> Softened {
    let inverse = Lanes(repeating: 1 / temperature)
    forEachLanes(width) { index, lanes in
      target.store(x.lanes(index, count: lanes) * inverse, index, count: lanes)
    }
    let peak = measure(target, width).peak
    return Softened(peak: peak, sum: exponentials(target, width, peak, keeping: true))
  }

  /// KL(q‖p) = d − ln Z_q + ln Z_p, d the mean under q of (z_q − z_p)/τ.
  ///
  /// Where the distributions are near each other that is a small difference of large numbers, which
  /// τ² then makes large.
  private func divergence(
    _ own: Softened, _ wanted: Softened, _ temperature: Float
  ) -> Double {
    var sum = Lanes.zero
    forEachLanes(width) { index, lanes in
      let apart = teacher.lanes(index, count: lanes) - logits.lanes(index, count: lanes)
      sum += self.wanted.lanes(index, count: lanes) * apart
    }
    let mean = sum.sum() / (wanted.sum * temperature)
    let coarse = Double(mean) + Double(own.logZ) - Double(wanted.logZ)
    return coarse < 1 ? nearDivergence(own, wanted, mean: mean, temperature) : coarse
  }

  /// The same as ln(1 + Σ q·(exp(−δ) − 1 + δ)), δ the scaled logits' differences less their mean:
  /// no term is below 0, so that none takes digits from the others.
  private func nearDivergence(
    _ own: Softened, _ wanted: Softened, mean: Float, _ temperature: Float
  ) -> Double {
    let (inverse, centre) = (Lanes(repeating: 1 / temperature), Lanes(repeating: mean))
    // q·exp(−δ) is p times a number of the row's own.
    let ratio = Lanes(repeating: exp(mean + own.peak - wanted.peak))
    var sum = Lanes.zero
    forEachLanes(width) { index, lanes in
      let q = self.wanted.lanes(index, count: lanes)
      let apart = teacher.lanes(index, count: lanes) - logits.lanes(index, count: lanes)
      let delta = apart * inverse - centre
      let far = self.own.lanes(index, count: lanes) * ratio - q + q * delta
      sum += far.replacing(
        with: q * delta.exponentialBeyondLine, where: delta.size .< 0.5)
    }
    return log1p(Double(sum.sum()) / Double(wanted.sum))
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

extension SIMD8<Float> {
  /// exp(−x) − 1 + x where |x| is at most a half, within rounding.
  fileprivate var exponentialBeyondLine: Lanes {
    var sum = Lanes(repeating: -1 / 5040)
    sum = sum * self + 1 / 720
    sum = sum * self - 1 / 120
    sum = sum * self + 1 / 24
    sum = sum * self - 1 / 6
    sum = sum * self + 0.5
    return sum * self * self
  }
}
