package import Screen

/// How many colours a terminal can show.
package enum ColorDepth: String, Sendable, CaseIterable {
  case none, ansi16, indexed256, rgb
}

/// How each role looks.
package struct Theme: Sendable, Hashable {
  package var name: String
  package var isDark: Bool
  package var depth: ColorDepth
  package var logitsGradient: Gradient
  package var expertsGradient: Gradient
  /// What lies under a screen that is drawn outside a terminal.
  package var paper: Color
  /// The text's colour where a terminal would take its own.
  package var ink: Color
  var looks: [Role: Look] {
    didSet { styles = Self.styles(looks) }
  }
  /// The style of each role, at its raw value.
  private var styles: [Style]

  /// A role's colours and attributes; an absent colour is the terminal's own.
  struct Look: Sendable, Hashable {
    var foreground: Color?
    var background: Color?
    var attributes: Attributes = []
  }

  init(
    name: String, isDark: Bool, depth: ColorDepth, logitsGradient: Gradient,
    expertsGradient: Gradient, paper: Color, ink: Color, looks: [Role: Look]
  ) {
    self.name = name
    self.isDark = isDark
    self.depth = depth
    self.logitsGradient = logitsGradient
    self.expertsGradient = expertsGradient
    self.paper = paper
    self.ink = ink
    self.looks = looks
    styles = Self.styles(looks)
  }

  /// Whether colours carry a gradient; where not, a field shows its values as characters.
  package var hasGradients: Bool { depth == .rgb || depth == .indexed256 }

  /// The style of `role`, with more attributes where a place asks for them.
  package func style(_ role: Role, _ attributes: Attributes = []) -> Style {
    var style = styles[Int(role.rawValue)]
    style.attributes.formUnion(attributes)
    return style
  }

  private static func styles(_ looks: [Role: Look]) -> [Style] {
    var styles = [Style](repeating: .plain, count: Int(UInt8.max) + 1)
    for role in Role.allCases {
      let look = looks[role]
      styles[Int(role.rawValue)] = Style(
        foreground: look?.foreground ?? looks[.text]?.foreground ?? .terminalDefault,
        background: look?.background ?? looks[.background]?.background ?? .terminalDefault,
        attributes: look?.attributes ?? [], role: role.rawValue)
    }
    return styles
  }

  /// The style of `role` on the background of another, such as the header.
  package func style(_ role: Role, on surface: Role, _ attributes: Attributes = []) -> Style {
    var style = style(role, attributes)
    // What is chosen has to be seen in a golden screen too, which knows no backgrounds.
    if surface == .selection { style.role = surface.rawValue }
    guard let look = looks[surface] else { return style }
    style.background = look.background ?? style.background
    // Grey is made for the screen's own ground and is lost on a coloured one.
    if surface == .selection, role == .faint {
      style.foreground = look.foreground ?? style.foreground
    }
    if look.background == nil { style.attributes.formUnion(look.attributes) }
    return style
  }
}
