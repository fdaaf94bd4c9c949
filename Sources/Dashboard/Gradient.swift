package import Screen

/// Three colours and all between them.
package struct Gradient: Sendable, Hashable {
  package var low: Color
  package var middle: Color
  package var high: Color
  /// The only colours it takes, from low to high, where a terminal has no others.
  package private(set) var ramp: [Color] = []

  package init(low: Color, middle: Color, high: Color) {
    self.low = low
    self.middle = middle
    self.high = high
  }

  /// The colour of `share`, 0 to 1; what is not finite takes the high end.
  package func color(at share: Double) -> Color {
    guard share.isFinite else { return ramp.last ?? high }
    let share = min(max(share, 0), 1)
    guard ramp.isEmpty else { return ramp[min(ramp.count - 1, Int(share * Double(ramp.count)))] }
    let place = share * 2
    return place < 1
      ? low.blended(with: middle, amount: place) : middle.blended(with: high, amount: place - 1)
  }

  /// Takes all colours again.
  mutating func leaveRamp() { ramp = [] }

  /// Takes 256 colours from now on.
  mutating func useRamp(isDark: Bool) {
    let known = Self.handMadeRamps[self]
    ramp = known?.map { .indexed($0) } ?? nearestRamp(isDark: isDark)
  }
}

/// Ramps of the 256 numbered colours.
///
/// The nearest of 256 colours to each place of a gradient jump in hue and in lightness, and a scale
/// that goes dark and bright again says nothing. Each ramp here goes one way in lightness: on a dark
/// ground the high end is the brightest, on a light one the darkest.
extension Gradient {
  /// For the gradients that the built-in themes have, by eye.
  private static let handMadeRamps: [Gradient: [UInt8]] = [
    Theme.dark.logitsGradient: [23, 58, 94, 130, 166, 202, 203],
    Theme.contrast.logitsGradient: [23, 58, 94, 130, 166, 202, 203],
    Theme.light.logitsGradient: [194, 187, 186, 179, 172, 166, 160, 124],
    Theme.colorBlind.logitsGradient: [25, 67, 103, 144, 186, 221],
    Theme.dark.expertsGradient: [22, 28, 65, 71, 77, 114, 120],
    Theme.contrast.expertsGradient: [22, 28, 65, 71, 77, 114, 120],
    Theme.light.expertsGradient: [194, 157, 120, 114, 77, 71, 28, 22],
    Theme.colorBlind.expertsGradient: [23, 24, 31, 74, 117, 153],
  ]

  /// The nearest colours to places along the gradient, from its high end on only those that go on
  /// getting darker, or brighter on a light ground: the high end, which warns, stays what it is.
  private func nearestRamp(isDark: Bool) -> [Color] {
    let places = stride(from: 1.0, through: 0, by: -1.0 / 16)
    var ramp: [Color] = []
    for place in places {
      let color = Color.indexed(color(at: place).nearest256)
      let isFurther =
        ramp.last.map { (last) in
          let change = (color.perceived?.lightness ?? 0) - (last.perceived?.lightness ?? 0)
          return isDark ? change < -0.005 : change > 0.005
        } ?? true
      if isFurther { ramp.append(color) }
    }
    return ramp.reversed()
  }
}
