/// What a cell means; a theme says how it looks. The raw value is the ASCII letter that stands for
/// the role in a golden screen.
package enum Role: UInt8, CaseIterable, Sendable {
  case background = 0x2E  // .
  case text = 0x74  // t
  /// Grey: what is not news.
  case faint = 0x66  // f
  case title = 0x54  // T
  case border = 0x62  // b
  case borderFocused = 0x42  // B
  /// The letters of keys and the digits of panes.
  case key = 0x6B  // k
  case good = 0x67  // g
  case warning = 0x77  // w
  case trouble = 0x72  // r
  /// What a person did.
  case person = 0x70  // p
  case loss = 0x6C  // l
  case lossFaint = 0x4C  // L
  case logits = 0x61  // a
  case logitsFaint = 0x41  // A
  case learningRate = 0x75  // u
  case learningRateFaint = 0x55  // U
  case experts = 0x65  // e
  case expertsFaint = 0x45  // E
  case gradients = 0x64  // d
  case gradientsFaint = 0x44  // D
  case throughput = 0x68  // h
  case throughputFaint = 0x48  // H
  case activations = 0x76  // v
  case activationsFaint = 0x56  // V
  case outputs = 0x6F  // o
  case outputsFaint = 0x4F  // O
  /// The lines of runs laid over the charts.
  case overlayFirst = 0x31  // 1
  case overlaySecond = 0x32  // 2
  case overlayThird = 0x33  // 3
  case overlayFourth = 0x34  // 4
  /// The bar on top; its background lies under all that the bar says.
  case header = 0x6E  // n
  /// The line that says what state the run is in where that matters.
  case banner = 0x4E  // N
  case selection = 0x73  // s
  /// The unfilled part of a bar.
  case track = 0x78  // x
  /// The cursor's line through all charts.
  case cursor = 0x63  // c
  /// A cell whose colour is a value on a gradient.
  case heat = 0x23  // #

  /// Whether it is the dark twin of a hue, for what lies behind: words in it could hardly be read.
  var isRaw: Bool {
    switch self {
    case .lossFaint, .logitsFaint, .learningRateFaint, .expertsFaint, .gradientsFaint,
      .throughputFaint, .activationsFaint, .outputsFaint:
      true
    default: false
    }
  }

  package init?(name: String) {
    guard let role = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = role
  }

  /// The name that theme files use.
  package var name: String { "\(self)" }
}

/// A piece of a line, in one role.
package struct Span: Sendable, Hashable {
  package var text: String
  package var role: Role

  package init(_ text: String, _ role: Role) {
    self.text = text
    self.role = role
  }
}
