import Screen

extension Theme {
  package static let builtIn: [Theme] = [
    .dark, .light, .contrast, .colorBlind, .terminal,
  ]

  /// The theme for a terminal with fewer colours: made by hand for sixteen and for none, since the
  /// nearest of sixteen colours is seldom a good one. Of 256 the gradients have ramps of their own;
  /// the roles' colours take the nearest.
  package func adapted(to depth: ColorDepth) -> Theme {
    guard depth != self.depth else { return self }
    // A theme of sixteen colours has no more on a better terminal.
    if self.depth == .ansi16, depth != .none { return self }
    switch depth {
    case .rgb: return self
    case .indexed256:
      var theme = self
      theme.depth = .indexed256
      theme.logitsGradient.useRamp(isDark: isDark)
      theme.expertsGradient.useRamp(isDark: isDark)
      return theme
    case .ansi16: return Self.ansi16(like: self)
    case .none: return Self.monochrome(like: self)
    }
  }

  /// As it is without a terminal: a picture in a file shows all colours, though a terminal that has
  /// 256 did not.
  var withAllColors: Theme {
    guard depth == .indexed256 else { return self }
    var theme = self
    theme.depth = .rgb
    theme.logitsGradient.leaveRamp()
    theme.expertsGradient.leaveRamp()
    return theme
  }

  /// The terminal's sixteen colours, which its owner has chosen to be readable.
  package static let ansi16 = ansi16(like: .dark)

  /// No colours: bold, reverse and underline say what matters.
  package static let monochrome = monochrome(like: .dark)

  private static func ansi16(like theme: Theme) -> Theme {
    let isDark = theme.isDark
    func color(_ number: UInt8) -> Color { .ansi(isDark ? number + 8 : number) }
    // Many terminals draw a colour and its bright twin much alike: dim tells raw from smooth on all.
    func faint(_ number: UInt8) -> Look { Look(foreground: .ansi(number), attributes: .dim) }
    let grey: Color = isDark ? .ansi(7) : .ansi(8)
    let (red, green, yellow, blue, magenta, cyan) = (
      color(1), color(2), isDark ? Color.ansi(11) : .ansi(3), color(4), color(5), color(6)
    )
    return Theme(
      name: theme.name, isDark: isDark, depth: .ansi16,
      logitsGradient: Gradient(low: cyan, middle: yellow, high: red),
      expertsGradient: Gradient(low: .ansi(2), middle: green, high: green),
      paper: theme.paper, ink: theme.ink,
      looks: [
        .text: Look(), .background: Look(), .faint: Look(foreground: grey),
        .title: Look(attributes: .bold), .border: Look(foreground: .ansi(8)),
        .borderFocused: Look(foreground: blue, attributes: .bold),
        .key: Look(foreground: blue, attributes: .bold), .good: Look(foreground: green),
        .warning: Look(foreground: yellow, attributes: .bold),
        .trouble: Look(foreground: red, attributes: .bold), .person: Look(foreground: magenta),
        .loss: Look(foreground: cyan), .lossFaint: faint(6),
        .logits: Look(foreground: yellow), .logitsFaint: faint(3),
        .learningRate: Look(foreground: magenta), .learningRateFaint: faint(5),
        .experts: Look(foreground: green), .expertsFaint: faint(2),
        .gradients: Look(foreground: green), .gradientsFaint: faint(2),
        .throughput: Look(foreground: blue), .throughputFaint: faint(4),
        .activations: Look(foreground: yellow), .activationsFaint: faint(3),
        .outputs: Look(foreground: blue), .outputsFaint: faint(4),
        .overlayFirst: Look(foreground: red), .overlaySecond: Look(foreground: yellow),
        .overlayThird: Look(foreground: magenta), .overlayFourth: Look(foreground: blue),
        .header: Look(attributes: isDark ? [] : .reverse),
        .banner: Look(foreground: .ansi(isDark ? 0 : 15), background: .ansi(isDark ? 6 : 4)),
        .selection: Look(attributes: .reverse), .track: Look(foreground: .ansi(8)),
        .cursor: Look(attributes: .bold),
      ])
  }

  private static func monochrome(like theme: Theme) -> Theme {
    let own = Color.terminalDefault
    let gradient = Gradient(low: own, middle: own, high: own)
    return Theme(
      name: theme.name, isDark: theme.isDark, depth: .none, logitsGradient: gradient,
      expertsGradient: gradient, paper: theme.paper, ink: theme.ink,
      looks: [
        .title: Look(attributes: .bold), .borderFocused: Look(attributes: .bold),
        .key: Look(attributes: .bold), .warning: Look(attributes: .underline),
        .trouble: Look(attributes: [.bold, .underline]), .person: Look(attributes: .underline),
        .banner: Look(attributes: [.bold, .reverse]), .selection: Look(attributes: .reverse),
        .loss: Look(attributes: .bold), .logits: Look(attributes: .bold),
        .cursor: Look(attributes: .bold), .faint: Look(attributes: .dim),
        .lossFaint: Look(attributes: .dim), .logitsFaint: Look(attributes: .dim),
        .learningRateFaint: Look(attributes: .dim), .expertsFaint: Look(attributes: .dim),
        .gradientsFaint: Look(attributes: .dim), .throughputFaint: Look(attributes: .dim),
        .activationsFaint: Look(attributes: .dim), .outputsFaint: Look(attributes: .dim),
      ])
  }
}
