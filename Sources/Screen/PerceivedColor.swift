import Foundation

/// A colour as eyes tell it from others: equal distances look about equally far apart.
///
/// - Source: Björn Ottosson, "A perceptual color space for image processing" (Oklab), 2020.
package struct PerceivedColor: Hashable, Sendable {
  /// 0 is black, 1 white.
  package let lightness: Double
  let greenToRed: Double
  let blueToYellow: Double

  init(red: UInt8, green: UInt8, blue: UInt8) {
    let (red, green, blue) = (Self.linear(red), Self.linear(green), Self.linear(blue))
    let long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    let medium = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    let short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    greenToRed = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blueToYellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
  }

  /// The light of a channel, which the number grows with like a root.
  static func linear(_ channel: UInt8) -> Double {
    let value = Double(channel) / 255
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
  }

  /// How far from grey.
  package var chroma: Double {
    (greenToRed * greenToRed + blueToYellow * blueToYellow).squareRoot()
  }

  /// The angle of the hue in radians, from -pi to pi.
  package var hue: Double { atan2(blueToYellow, greenToRed) }

  package func distance(to other: PerceivedColor) -> Double {
    squaredDistance(to: other).squareRoot()
  }

  /// The square of the distance, in which lightness counts by `lightnessWeight`.
  func squaredDistance(to other: PerceivedColor, lightnessWeight: Double = 1) -> Double {
    let light = lightness - other.lightness
    let red = greenToRed - other.greenToRed
    let yellow = blueToYellow - other.blueToYellow
    return lightnessWeight * light * light + red * red + yellow * yellow
  }
}

extension Color {
  /// Nil for the terminal's own colour, which nobody can ask for.
  package var perceived: PerceivedColor? {
    channels.map { PerceivedColor(red: $0.red, green: $0.green, blue: $0.blue) }
  }
}
