package struct Attributes: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// OptionSet's own goes through a witness table; a screen asks for thousands.
  package init(arrayLiteral attributes: Attributes...) {
    rawValue = attributes.reduce(0) { $0 | $1.rawValue }
  }

  package static let bold = Attributes(rawValue: 1)
  package static let dim = Attributes(rawValue: 2)
  package static let italic = Attributes(rawValue: 4)
  package static let underline = Attributes(rawValue: 8)
  package static let reverse = Attributes(rawValue: 16)
}

/// How a cell looks. `role` is the ASCII letter of the theme's role it came from: golden screens
/// print it, so that they hold whatever the theme's colours are.
package struct Style: Hashable, Sendable {
  package var foreground: Color
  package var background: Color
  package var attributes: Attributes
  package var role: UInt8

  package init(
    foreground: Color = .terminalDefault, background: Color = .terminalDefault,
    attributes: Attributes = [], role: UInt8 = UInt8(ascii: ".")
  ) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
    self.role = role
  }

  package static let plain = Style()

  package func with(_ attributes: Attributes) -> Style {
    var style = self
    style.attributes.formUnion(attributes)
    return style
  }

  package func on(_ background: Color) -> Style {
    var style = self
    style.background = background
    return style
  }

  /// Whether the two look the same, whatever their roles are.
  package func looks(like other: Style) -> Bool {
    foreground == other.foreground && background == other.background
      && attributes == other.attributes
  }
}
