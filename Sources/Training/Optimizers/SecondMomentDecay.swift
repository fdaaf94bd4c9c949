/// Adam's β₂, which may change while its average of squares goes on.
///
/// The average starts from 0, and v̂ divides by the share of it that is not that 0 any more. Under
/// a constant β₂ the share is 1 − β₂ᵗ; after a change it goes on from where it was, so that the
/// change neither shrinks nor swells the updates.
/// - Source: Kingma and Ba 2015, section 3; the change is Seismo's
package struct SecondMomentDecay: Sendable, Hashable, Codable {
  package private(set) var value: Double
  private var since = 0
  /// The zero's share after `since` updates.
  private var emptyShare = 1.0

  package init(_ value: Double) {
    self.value = value
  }

  /// As the update uses it.
  var beta: Float { Float(value) }

  /// Changes β₂ for the update of `step` and those after it.
  package mutating func set(_ value: Double, at step: Int) {
    emptyShare = emptyShare(updates: step)
    since = step
    self.value = value
  }

  /// What v is multiplied by in the update after `updates` others.
  func correction(updates: Int) -> Float {
    Float(1 / (1 - emptyShare(updates: updates + 1)))
  }

  private func emptyShare(updates: Int) -> Double {
    emptyShare * power(of: beta, updates - since)
  }
}

/// βᵗ, of β as it is stored, since 1 − β is small.
func power(of beta: Float, _ exponent: Int) -> Double {
  var power = 1.0
  var base = Double(beta)
  var exponent = exponent
  while exponent > 0 {
    if exponent & 1 == 1 { power *= base }
    base *= base
    exponent >>= 1
  }
  return power
}
