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
  /// Brighter, for glare and for eyes that tell red from green badly: good is blue, trouble orange.
  package static let contrast: Theme = {
    var theme = dark
    theme.name = "contrast"
    theme.logitsGradient = Gradient(low: hex(0x0072B2), middle: hex(0xF0E442), high: hex(0xFF7A00))
    theme.expertsGradient = Gradient(low: hex(0x123A66), middle: hex(0x3D8FDB), high: hex(0xBFE3FF))
    theme.ink = hex(0xFFFFFF)
    theme.paper = hex(0x000000)
    let colors: [Role: UInt32] = [
      .text: 0xFFFFFF, .title: 0xFFFFFF, .faint: 0xB0B0B0, .border: 0x707070,
      .borderFocused: 0xFFFFFF, .key: 0x56B4E9, .good: 0x56B4E9, .warning: 0xF0E442,
      .trouble: 0xFF7A00, .person: 0xFF9CD6, .loss: 0x6FE3FF, .logits: 0xF0E442,
      .learningRate: 0xD4B8FF, .experts: 0x8CC8FF, .gradients: 0x8CC8FF, .throughput: 0x56B4E9,
    ]
    for (role, color) in colors { theme.looks[role, default: Look()].foreground = hex(color) }
    return theme
  }()
}
