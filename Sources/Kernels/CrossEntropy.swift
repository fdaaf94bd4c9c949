internal import Foundation

/// Sums over the rows a `crossEntropy` has seen.
package struct OutputSums: Sendable, BitwiseCopyable {
  /// Cross-entropy, nats.
  package var loss = 0.0
  package var logZ = 0.0
  package var squaredLogZ = 0.0
  /// The sum of each row's mean logit.
  package var logitMean = 0.0
  /// Half the sum of both divergences between two passes, nats; 0 where there is one.
  package var divergence = 0.0
  /// The cross-entropy as its tokens count in what is minimised; 0 where they all count the same.
  package var objective = 0.0

  package init() {}

  /// Takes in what a row's logits are, beside its loss.
  @inline(__always)
  mutating func add(logZ: Float, total: Float, width: Int) {
    self.logZ += Double(logZ)
    squaredLogZ += Double(logZ) * Double(logZ)
    logitMean += Double(total) / Double(width)
  }
}

/// Cross-entropy with z-loss; the logits are overwritten by the gradient of the batch's mean.
///
/// loss = log Z − y[target]; the gradient also has the z-loss c·(log Z)² in it:
/// dy = (p·(1 + 2c·log Z) − onehot)·`weight`. With a soft cap the logits are capped first, and all
/// that is measured is measured of the capped ones. Of tokens from a `NoisyChannel` loss and
/// gradient are the channel's.
/// - Shapes: `logits` [B·T, V]
/// - Parameters: `weight` is one over the tokens of the whole batch; with `nil` logits are left;
///   `rowLosses` takes each row's own loss, the first at `firstRow`
/// - Units: nats a token
package func crossEntropy(
  _ logits: Matrix, tokens: TokenRows, zLoss: Float, cap: Float = 0, weight: Float?,
  rowLosses: Buffer<Double>? = nil, firstRow: Int = 0
) -> OutputSums {
  var sums = OutputSums()
  let width = logits.columns
  let softCap = cap > 0 ? SoftCap(cap) : nil
  let slopes = ThreadScratch.base(width)
  tokens.forEach { index, _, target in
    let y = logits.row(index)
    if let softCap {
      _ = softCap.apply(y, width)
      softCap.slopes(y, into: slopes, width)
    }
    let row = measure(y, width)
    let targetLogit = y[target]
    let sum = exponentials(y, width, row.peak, keeping: weight != nil)
    let logZ = row.peak + log(sum)
    let (loss, own) = tokens.channel(at: index).corrected(
      Double(logZ) - Double(targetLogit), vocabulary: width)
    sums.loss += loss
    rowLosses?[firstRow + index] = loss
    sums.add(logZ: logZ, total: row.total, width: width)
    guard let weight else { return }
    scaleRow(y, width, weight * (own + 2 * zLoss * logZ) / sum)
    y[target] -= weight * own
    if softCap != nil { multiplyRow(y, by: slopes, width) }
  }
  return sums
}

/// The row's largest number and its sum.
@inline(__always)
func measure(
  _ y: UnsafeMutablePointer<Float>, _ width: Int
) -> (peak: Float, total: Float) {
  var largest = Lanes(repeating: y[0])
  var total = Lanes.zero
  forEachLanes(width) { index, lanes in
    let value = y.lanes(index, count: lanes)
    total += value
    if lanes == 8 { largest = largest.largest(value) }
  }
  for column in (width & ~7)..<width where y[column] > largest[0] { largest[0] = y[column] }
  return (largest.peak, total.sum())
}

/// Σ exp(y − peak), the exponentials kept in the row or not.
@inline(__always)
func exponentials(
  _ y: UnsafeMutablePointer<Float>, _ width: Int, _ peak: Float, keeping: Bool
) -> Float {
  let shift = Lanes(repeating: peak)
  var sum = Lanes.zero
  forEachLanes(width) { index, lanes in
    let e = (y.lanes(index, count: lanes) - shift).exponential
    if keeping { y.store(e, index, count: lanes) }
    if lanes == 8 {
      sum += e
    } else {
      for lane in 0..<lanes { sum[lane] += e[lane] }
    }
  }
  return sum.sum()
}

@inline(__always)
func multiplyRow(
  _ y: UnsafeMutablePointer<Float>, by factors: UnsafePointer<Float>, _ width: Int
) {
  for column in 0..<width { y[column] *= factors[column] }
}
