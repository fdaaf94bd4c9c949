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

  static func nearest(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let cube =
      16 + 36 * nearestLevel(red) + 6 * nearestLevel(green) + nearestLevel(blue)
    let mean = (Int(red) + Int(green) + Int(blue)) / 3
    let grey = UInt8(232 + min(23, max(0, (mean - 3) / 10)))
    let target = (red, green, blue)
    return distance(channels(grey), target) < distance(channels(UInt8(cube)), target)
      ? grey : UInt8(cube)
  }

  static func nearest16(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let target = (red, green, blue)
    let best = (0..<16).min { distance(named[$0], target) < distance(named[$1], target) }
    return UInt8(best ?? 7)
  }

  private static func nearestLevel(_ channel: UInt8) -> Int {
    cubeLevels.indices.min { left, right in
      abs(Int(cubeLevels[left]) - Int(channel)) < abs(Int(cubeLevels[right]) - Int(channel))
    } ?? 0
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
