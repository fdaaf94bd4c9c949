/// A colour in 32 bits: the terminal's own, one of the 256 numbered ones, or red, green and blue.
package struct Color: Hashable, Sendable {
  /// What a colour is, taken apart.
  package enum Kind: Hashable, Sendable {
    case terminalDefault
    /// 0–15 are the terminal's named colours, 16–231 a cube, 232–255 greys.
    case indexed(UInt8)
    case rgb(red: UInt8, green: UInt8, blue: UInt8)
  }

  /// The kind in the top byte, the index or the three channels below it.
  private let bits: UInt32

  private static let indexedTag: UInt32 = 1 << 24
  private static let rgbTag: UInt32 = 2 << 24

  private init(bits: UInt32) { self.bits = bits }

  package static let terminalDefault = Color(bits: 0)

  package static func rgb(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Color {
    Color(bits: rgbTag | UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue))
  }

  /// One of the terminal's sixteen: 0–7 as in `black red green yellow blue magenta cyan white`,
  /// 8–15 the same, bright.
  package static func ansi(_ number: UInt8) -> Color {
    Color(bits: indexedTag | UInt32(number & 15))
  }

  package static func indexed(_ number: UInt8) -> Color {
    Color(bits: indexedTag | UInt32(number))
  }

  /// From `#RRGGBB`; nil for anything else.
  package init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 7, digits[0] == UInt8(ascii: "#"),
      digits.dropFirst().allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let value = UInt32(hex.dropFirst(), radix: 16)
    else { return nil }
    self.init(bits: Color.rgbTag | value)
  }

  package var kind: Kind {
    switch bits & 0xFF00_0000 {
    case Color.indexedTag: .indexed(UInt8(truncatingIfNeeded: bits))
    case Color.rgbTag:
      .rgb(
        red: UInt8(truncatingIfNeeded: bits >> 16), green: UInt8(truncatingIfNeeded: bits >> 8),
        blue: UInt8(truncatingIfNeeded: bits))
    default: .terminalDefault
    }
  }

  package var isTerminalDefault: Bool { bits == 0 }

  /// The three channels; nil for the terminal's own colour, which nobody can ask for. The sixteen
  /// named colours are taken as xterm draws them.
  package var channels: (red: UInt8, green: UInt8, blue: UInt8)? {
    switch kind {
    case .terminalDefault: nil
    case .indexed(let number): Palette256.channels(number)
    case .rgb(let red, let green, let blue): (red, green, blue)
    }
  }

  /// `#rrggbb`; nil for the terminal's own.
  package var hex: String? {
    guard let (red, green, blue) = channels else { return nil }
    let value = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
    let digits = String(value, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The way from this colour (amount 0) to the other (amount 1), in the channels as they are.
  /// The terminal's own colour can't be mixed: the nearer of the two is returned.
  package func blended(with other: Color, amount: Double) -> Color {
    let share = amount.isNaN ? 0 : min(max(amount, 0), 1)
    guard let from = channels, let to = other.channels else { return share < 0.5 ? self : other }
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) + (Double(b) - Double(a)) * share).rounded())
    }
    return .rgb(mix(from.red, to.red), mix(from.green, to.green), mix(from.blue, to.blue))
  }

  /// The number of the nearest of the 256 colours, never one of the sixteen that a user may have
  /// redefined, unless it is named already. 0 for the terminal's own.
  package var nearest256: UInt8 {
    switch kind {
    case .terminalDefault: 0
    case .indexed(let number): number
    case .rgb(let red, let green, let blue): Palette256.nearest(red, green, blue)
    }
  }

  /// The number of the nearest of the sixteen named colours. 0 for the terminal's own.
  package var nearest16: UInt8 {
    if case .indexed(let number) = kind, number < 16 { return number }
    guard let (red, green, blue) = channels else { return 0 }
    return Palette256.nearest16(red, green, blue)
  }

  /// Relative luminance after WCAG, 0 (black) to 1 (white); nil for the terminal's own.
  package var luminance: Double? {
    guard let (red, green, blue) = channels else { return nil }
    return 0.2126 * PerceivedColor.linear(red) + 0.7152 * PerceivedColor.linear(green)
      + 0.0722 * PerceivedColor.linear(blue)
  }
}
