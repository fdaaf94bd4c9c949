import Screen

extension Theme {
  /// Calm hues on the terminal's own dark background.
  package static let dark = Theme(
    name: "dark", isDark: true, depth: .rgb,
    logitsGradient: Gradient(low: hex(0x3F7A8C), middle: hex(0xE3B341), high: hex(0xFF5A50)),
    expertsGradient: Gradient(low: hex(0x1B4B2C), middle: hex(0x3FB950), high: hex(0x8AE594)),
    paper: hex(0x0D1117), ink: hex(0xD6DEE6),
    looks: [
      .background: Look(), .text: Look(foreground: hex(0xD6DEE6)),
      .faint: Look(foreground: hex(0x7D8590)),
      .title: Look(foreground: hex(0xF0F6FC), attributes: .bold),
      .border: Look(foreground: hex(0x3A414A)), .borderFocused: Look(foreground: hex(0x6CB6FF)),
      .key: Look(foreground: hex(0x79C0FF), attributes: .bold),
      .good: Look(foreground: hex(0x3FB950)), .warning: Look(foreground: hex(0xE3B341)),
      .trouble: Look(foreground: hex(0xFF5A50), attributes: .bold),
      .person: Look(foreground: hex(0xFF8AC4)),
      .loss: Look(foreground: hex(0x56C8D8)), .lossFaint: Look(foreground: hex(0x285E68)),
      .logits: Look(foreground: hex(0xE3B341)), .logitsFaint: Look(foreground: hex(0x6E5A28)),
      .learningRate: Look(foreground: hex(0xB98CFF)),
      .learningRateFaint: Look(foreground: hex(0x594880)),
      .experts: Look(foreground: hex(0x7EE787)), .expertsFaint: Look(foreground: hex(0x3B6B42)),
      .gradients: Look(foreground: hex(0x3FB950)), .gradientsFaint: Look(foreground: hex(0x27592F)),
      .throughput: Look(foreground: hex(0x79C0FF)),
      .throughputFaint: Look(foreground: hex(0x33597C)),
      .activations: Look(foreground: hex(0xF0A36B)),
      .activationsFaint: Look(foreground: hex(0x70502F)),
      .outputs: Look(foreground: hex(0x8FA8FF)), .outputsFaint: Look(foreground: hex(0x465380)),
      .overlayFirst: Look(foreground: hex(0xFFA28B)),
      .overlaySecond: Look(foreground: hex(0xC9E265)),
      .overlayThird: Look(foreground: hex(0xE3B5FF)),
      .overlayFourth: Look(foreground: hex(0xE6D5A8)),
      .header: Look(foreground: hex(0xD6DEE6), background: hex(0x161B22)),
      .banner: Look(foreground: hex(0x0D1117), background: hex(0x79C0FF), attributes: .bold),
      .selection: Look(foreground: hex(0xF0F6FC), background: hex(0x264766)),
      .track: Look(foreground: hex(0x3A414A)), .cursor: Look(foreground: hex(0xF0F6FC)),
    ])

  /// The same meanings on white paper.
  package static let light = Theme(
    name: "light", isDark: false, depth: .rgb,
    logitsGradient: Gradient(low: hex(0x9CC7D4), middle: hex(0xE8B33A), high: hex(0xD1242F)),
    expertsGradient: Gradient(low: hex(0xD7EFDB), middle: hex(0x6CC480), high: hex(0x1A7F37)),
    paper: hex(0xFFFFFF), ink: hex(0x1F2328),
    looks: [
      .background: Look(background: hex(0xFFFFFF)), .text: Look(foreground: hex(0x1F2328)),
      .faint: Look(foreground: hex(0x6E7781)),
      .title: Look(foreground: hex(0x0B0E12), attributes: .bold),
      .border: Look(foreground: hex(0xC4CBD2)), .borderFocused: Look(foreground: hex(0x0969DA)),
      .key: Look(foreground: hex(0x0969DA), attributes: .bold),
      .good: Look(foreground: hex(0x1A7F37)), .warning: Look(foreground: hex(0x9A6700)),
      .trouble: Look(foreground: hex(0xC01823), attributes: .bold),
      .person: Look(foreground: hex(0xBF3989)),
      .loss: Look(foreground: hex(0x0B7285)), .lossFaint: Look(foreground: hex(0xA5D4DD)),
      .logits: Look(foreground: hex(0x9A6700)), .logitsFaint: Look(foreground: hex(0xE3CD98)),
      .learningRate: Look(foreground: hex(0x7A3FD4)),
      .learningRateFaint: Look(foreground: hex(0xCBB4F0)),
      .experts: Look(foreground: hex(0x1A7F37)), .expertsFaint: Look(foreground: hex(0xA9D9B4)),
      .gradients: Look(foreground: hex(0x2C7A2C)), .gradientsFaint: Look(foreground: hex(0xACD6AC)),
      .throughput: Look(foreground: hex(0x0969DA)),
      .throughputFaint: Look(foreground: hex(0xA8CBF2)),
      .activations: Look(foreground: hex(0xB35900)),
      .activationsFaint: Look(foreground: hex(0xE9C6A3)),
      .outputs: Look(foreground: hex(0x3F51C6)), .outputsFaint: Look(foreground: hex(0xB9C1EE)),
      .overlayFirst: Look(foreground: hex(0xC4432B)),
      .overlaySecond: Look(foreground: hex(0x5E7000)),
      .overlayThird: Look(foreground: hex(0x8E35B8)),
      .overlayFourth: Look(foreground: hex(0x7A5C16)),
      .header: Look(foreground: hex(0x1F2328), background: hex(0xEEF1F4)),
      .banner: Look(foreground: hex(0xFFFFFF), background: hex(0x0969DA), attributes: .bold),
      .selection: Look(foreground: hex(0x0B0E12), background: hex(0xCFE4FB)),
      .track: Look(foreground: hex(0xD0D7DE)), .cursor: Look(foreground: hex(0x0B0E12)),
    ])

  static func hex(_ value: UInt32) -> Color {
    .rgb(UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
  }
}

extension Theme {
  /// Full colours on black, for glare, beamers and tired eyes.
  package static let contrast: Theme = {
    var theme = dark
    theme.name = "contrast"
    theme.logitsGradient = Gradient(low: hex(0x3FA7C4), middle: hex(0xFFE600), high: hex(0xFF3B30))
    theme.expertsGradient = Gradient(low: hex(0x0E5A1E), middle: hex(0x2FD84A), high: hex(0xC8FFD0))
    theme.ink = hex(0xFFFFFF)
    theme.paper = hex(0x000000)
    theme.recolor([
      .text: 0xFFFFFF, .title: 0xFFFFFF, .faint: 0xC4C4C4, .border: 0x8A8A8A,
      .borderFocused: 0xFFFFFF, .key: 0x6FE3FF, .good: 0x5CFF5C, .warning: 0xFFE600,
      .trouble: 0xFF6B5E, .person: 0xFF9CF0, .loss: 0x5FF3FF, .lossFaint: 0x2C8F99,
      .logits: 0xFFD84D, .logitsFaint: 0x94802C, .learningRate: 0xD9B8FF,
      .learningRateFaint: 0x7C66A0, .experts: 0x8CFF9A, .expertsFaint: 0x3F8F4A,
      .gradients: 0x8CFF9A, .gradientsFaint: 0x3F8F4A, .throughput: 0x9CD0FF,
      .throughputFaint: 0x4A7AA6, .activations: 0xFFB877, .activationsFaint: 0x99683C,
      .outputs: 0xB8C6FF, .outputsFaint: 0x66739F, .track: 0x6A6A6A, .cursor: 0xFFFFFF,
    ])
    theme.looks[.banner] = Look(
      foreground: hex(0x000000), background: hex(0xFFFFFF), attributes: .bold)
    theme.looks[.selection] = Look(foreground: hex(0xFFFFFF), background: hex(0x0B5CC0))
    return theme
  }()

  /// For eyes that tell red from green badly: good is blue, trouble vermilion, and every scale also
  /// grows brighter.
  ///
  /// - Source: the colours of Okabe and Ito, 2008, the darker ones lightened for a dark ground.
  package static let colorBlind: Theme = {
    var theme = dark
    theme.name = "colorblind"
    theme.logitsGradient = Gradient(low: hex(0x3E6FB0), middle: hex(0xB9B07C), high: hex(0xFFD400))
    theme.expertsGradient = Gradient(low: hex(0x12355B), middle: hex(0x3D8FDB), high: hex(0xCFE8FF))
    theme.recolor([
      .borderFocused: 0x56B4E9, .key: 0x8CCBF2, .good: 0x56B4E9, .warning: 0xF0E442,
      .trouble: 0xFF7A1A, .person: 0xE69CC3, .loss: 0x56B4E9, .lossFaint: 0x2B5A75,
      .logits: 0xF0E442, .logitsFaint: 0x787221, .learningRate: 0xAF87FF,
      .learningRateFaint: 0x594880, .experts: 0x9AD1F5, .expertsFaint: 0x3F6480,
      .gradients: 0x35C4A0, .gradientsFaint: 0x1B6250, .throughput: 0x8CB8FF,
      .throughputFaint: 0x465C80, .activations: 0xE69F00, .activationsFaint: 0x735000,
      .outputs: 0xC9C9F5, .outputsFaint: 0x65657A, .overlayFirst: 0xFFA85C,
      .overlaySecond: 0xD8E8A0, .overlayThird: 0xE8C4FF, .overlayFourth: 0xFFFFFF,
    ])
    return theme
  }()

  /// The terminal's own sixteen colours, whatever its owner made of them.
  package static let terminal: Theme = {
    var theme = Theme.ansi16
    theme.name = "terminal"
    return theme
  }()

  private mutating func recolor(_ colors: [Role: UInt32]) {
    for (role, color) in colors { looks[role, default: Look()].foreground = Self.hex(color) }
  }
}
