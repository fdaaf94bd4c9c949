/// The numbered colours as xterm draws them.
enum Palette256 {
  private static let cubeLevels: [UInt8] = [0, 95, 135, 175, 215, 255]

  private static let named: [(UInt8, UInt8, UInt8)] = [
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0),
    (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
    (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
  ]

  static func channels(_ number: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
    switch number {
    case 0..<16:
      let (red, green, blue) = named[Int(number)]
      return (red, green, blue)
    case 232...255:
      let level = 8 + 10 * (number - 232)
      return (level, level, level)
    default:
      let index = Int(number) - 16
      return (cubeLevels[index / 36], cubeLevels[index / 6 % 6], cubeLevels[index % 6])
    }
  }

  /// The cube and the greys: the sixteen before them may have been redefined by the user.
  private static let fixed: [PerceivedColor] = (UInt8(16)...255).map { number in
    let (red, green, blue) = channels(number)
    return PerceivedColor(red: red, green: green, blue: blue)
  }

  /// A hue says which pane a line belongs to: being a little too light does less harm than being
  /// grey, or olive for green.
  private static let lightnessWeight = 0.4

  static func nearest(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let target = PerceivedColor(red: red, green: green, blue: blue)
    var best = 0
    var least = Double.infinity
    for (index, color) in fixed.enumerated() {
      let distance = color.squaredDistance(to: target, lightnessWeight: lightnessWeight)
      guard distance < least else { continue }
      (best, least) = (index, distance)
    }
    return UInt8(16 + best)
  }

  static func nearest16(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let target = (red, green, blue)
    let best = (0..<16).min { distance(named[$0], target) < distance(named[$1], target) }
    return UInt8(best ?? 7)
  }

  private static func distance(
    _ a: (UInt8, UInt8, UInt8), _ b: (UInt8, UInt8, UInt8)
  ) -> Int {
    let red = Int(a.0) - Int(b.0)
    let green = Int(a.1) - Int(b.1)
    let blue = Int(a.2) - Int(b.2)
    return 3 * red * red + 4 * green * green + 2 * blue * blue
  }
}
