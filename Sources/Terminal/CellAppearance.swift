import CNcurses
import Screen

/// A style in curses' terms: attributes and two colour numbers.
struct CellAppearance: Hashable {
  var attributes: attr_t
  var colors: ColorPairs.Colors

  /// `paletteSize` is how many colours curses says there are; only a question for 16 of them.
  init(_ style: Style, depth: Capabilities.Colors, paletteSize: Int) {
    attributes = CellAppearance.attributes(style.attributes)
    colors = ColorPairs.Colors(foreground: -1, background: -1)
    switch depth {
    case .none: break
    case .ansi16:
      setNamed(style, hasBright: paletteSize >= 16)
    case .indexed256:
      colors.foreground = CellAppearance.indexed(style.foreground)
      colors.background = CellAppearance.indexed(style.background)
    case .rgb:
      colors.foreground = CellAppearance.direct(style.foreground)
      colors.background = CellAppearance.direct(style.background)
    }
  }

  private static func attributes(_ attributes: Attributes) -> attr_t {
    var result: attr_t = 0
    if attributes.contains(.bold) { result |= attr_t(curses_bold) }
    if attributes.contains(.dim) { result |= attr_t(curses_dim) }
    if attributes.contains(.italic) { result |= curses_italic() }
    if attributes.contains(.underline) { result |= attr_t(curses_underline) }
    if attributes.contains(.reverse) { result |= attr_t(curses_reverse) }
    return result
  }

  /// A terminal with eight colours has the bright ones as bold, and grey as dim.
  private mutating func setNamed(_ style: Style, hasBright: Bool) {
    if !style.background.isTerminalDefault {
      let number = Int32(style.background.nearest16)
      colors.background = hasBright ? number : number % 8
    }
    guard !style.foreground.isTerminalDefault else { return }
    var number = Int32(style.foreground.nearest16)
    // Dark greys are not black: black on black shows nothing.
    if number == 0, style.foreground != .ansi(0) { number = 8 }
    if hasBright || number < 8 {
      colors.foreground = number
    } else if number == 8 {
      attributes |= attr_t(curses_dim)
    } else {
      colors.foreground = number - 8
      attributes |= attr_t(curses_bold)
    }
  }

  private static func indexed(_ color: Color) -> Int32 {
    color.isTerminalDefault ? -1 : Int32(color.nearest256)
  }

  /// Under a `-direct` description 0–7 are the named colours, all above are channels.
  private static func direct(_ color: Color) -> Int32 {
    if case .indexed(let number) = color.kind, number < 8 { return Int32(number) }
    guard let (red, green, blue) = color.channels else { return -1 }
    return max(8, Int32(red) << 16 | Int32(green) << 8 | Int32(blue))
  }
}
