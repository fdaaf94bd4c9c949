import Dashboard
import Foundation
import Screen
import Testing

@Suite(.timeLimit(.minutes(15))) struct ThemeTests {
  private func entries(_ lines: String...) -> [ThemeEntry] {
    lines.enumerated().map { index, line in
      let parts = line.components(separatedBy: " = ")
      return ThemeEntry(key: parts[0], value: parts[1], line: index + 1)
    }
  }

  private func builtIn(_ name: String) throws -> Theme {
    try #require(Theme.builtIn.first { $0.name == name })
  }

  private func message(_ lines: [ThemeEntry]) -> String? {
    do {
      _ = try Theme(name: "mine", entries: lines)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `a theme inherits what it does not say`() throws {
    let theme = try Theme(
      name: "mine", entries: entries("inherits = light", "loss = #102030", "text.attributes = bold")
    )
    #expect(theme.style(.loss).foreground == .rgb(0x10, 0x20, 0x30))
    #expect(theme.style(.logits) == Theme.light.style(.logits))
    #expect(theme.style(.text).attributes == .bold)
    #expect(!theme.isDark && theme.name == "mine")
  }

  @Test func `an empty colour is the terminal's own`() throws {
    let theme = try Theme(
      name: "mine", entries: entries("inherits = light", "background = ", "text = "))
    #expect(theme.style(.background).background.isTerminalDefault)
    #expect(theme.style(.text).foreground.isTerminalDefault)
  }

  @Test func `a mistake is one line that says where and what to do`() {
    #expect(
      message(entries("los = #102030"))
        == "theme mine, line 1: no role 'los': did you mean 'loss'?")
    #expect(
      message(entries("text = #FFFFFF", "loss = blue")) == """
        theme mine, line 2: 'blue' is no colour for loss: write "#RRGGBB", "ansi 0" to "ansi 15", \
        or "" for the terminal's own
        """)
    #expect(
      message(entries("loss.attributes = bald")) == """
        theme mine, line 1: 'bald' is nothing loss.attributes can be: \
        write words of bold, dim, italic, underline, reverse
        """)
    #expect(
      message(entries("inherits = drak")) == """
        theme mine, line 1: no theme 'drak' to inherit from: write one of dark, light, contrast, \
        colorblind, terminal
        """)
    #expect(
      message(entries("zzzzzzzz = #102030")) == """
        theme mine, line 1: no role 'zzzzzzzz': see themes/dark.toml for all of them
        """)
    #expect(
      message(entries("logitsGradient.lowest = #102030"))
        == "theme mine, line 1: no role 'logitsGradient.lowest': "
        + "did you mean 'logitsGradient.low'?")
  }

  @Test(arguments: Theme.builtIn.map(\.name))
  func `a built-in theme reads back from its own file`(name: String) throws {
    let theme = try builtIn(name)
    let lines = theme.fileText.split(separator: "\n", omittingEmptySubsequences: false)
    let entries = lines.enumerated().compactMap { index, line -> ThemeEntry? in
      let parts = line.components(separatedBy: " = ")
      guard parts.count == 2, !line.hasPrefix("#") else { return nil }
      let value = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      return ThemeEntry(key: parts[0], value: value, line: index + 1)
    }
    let read = try Theme(name: theme.name, entries: entries)
    for role in Role.allCases { #expect(read.style(role) == theme.style(role), "\(role)") }
    #expect(read.logitsGradient == theme.logitsGradient)
    #expect(read.isDark == theme.isDark)
  }

  @Test(arguments: Theme.builtIn.map(\.name))
  func `the file in themes is the built-in theme`(name: String) throws {
    let theme = try builtIn(name)
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("themes/\(theme.name).toml")
    #expect(try String(contentsOf: file, encoding: .utf8) == theme.fileText)
  }

  @Test(arguments: Theme.builtIn.filter { $0.depth == .rgb }.map(\.name))
  func `every role can be read on its paper`(name: String) throws {
    let theme = try builtIn(name)
    let paper = try #require(theme.paper.luminance)
    let quiet: Set<Role> = [
      .background, .border, .track, .lossFaint, .logitsFaint, .learningRateFaint, .expertsFaint,
      .gradientsFaint, .throughputFaint, .activationsFaint, .outputsFaint, .heat,
    ]
    for role in Role.allCases where !quiet.contains(role) {
      let style = theme.style(role)
      let ink = try #require(style.foreground.luminance)
      let ground = style.background.luminance ?? paper
      let contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
      #expect(contrast >= 4, "\(role) has a contrast of \(contrast)")
    }
  }

  @Test func `every role has a letter of its own and a name that reads back`() {
    #expect(Set(Role.allCases.map(\.rawValue)).count == Role.allCases.count)
    for role in Role.allCases { #expect(Role(name: role.name) == role) }
  }

  @Test func `without colours no style asks for one`() {
    for role in Role.allCases {
      let style = Theme.dark.adapted(to: .none).style(role)
      #expect(style.foreground.isTerminalDefault && style.background.isTerminalDefault)
    }
  }

  @Test(arguments: Theme.builtIn.map(\.name))
  func `with sixteen colours only those are used`(name: String) throws {
    let theme = try builtIn(name)
    for role in Role.allCases {
      for color in [theme.adapted(to: .ansi16).style(role)].flatMap({
        [$0.foreground, $0.background]
      }) {
        guard case .rgb = color.kind else { continue }
        Issue.record("\(role) is \(color)")
      }
    }
  }

  @Test func `what matters differs without colours too`() {
    let theme = Theme.monochrome
    #expect(theme.style(.trouble).attributes != theme.style(.text).attributes)
    #expect(theme.style(.warning).attributes != theme.style(.text).attributes)
    #expect(theme.style(.person).attributes != theme.style(.text).attributes)
    #expect(theme.style(.selection).attributes.contains(.reverse))
    #expect(theme.style(.borderFocused).attributes != theme.style(.border).attributes)
  }

  @Test func `a gradient goes through its three colours and takes any number`() {
    let gradient = Theme.dark.logitsGradient
    #expect(gradient.color(at: 0) == gradient.low)
    #expect(gradient.color(at: 0.5) == gradient.middle)
    #expect(gradient.color(at: 1) == gradient.high)
    #expect(gradient.color(at: -3) == gradient.low)
    #expect(gradient.color(at: .nan) == gradient.high)
  }

  private static let numbered = Theme.builtIn.filter { $0.depth == .rgb }.flatMap { theme in
    let theme = theme.adapted(to: .indexed256)
    return [
      (theme.name + " logits", theme.isDark, theme.logitsGradient.ramp),
      (theme.name + " experts", theme.isDark, theme.expertsGradient.ramp),
    ]
  }

  @Test(arguments: numbered)
  func `of 256 colours a gradient goes one way in lightness, by steps that are seen and no jumps`(
    name: String, isDark: Bool, ramp: [Color]
  ) throws {
    #expect(ramp.count >= 6)
    let colors = try ramp.map { try #require($0.perceived) }
    for (before, after) in zip(colors, colors.dropFirst()) {
      #expect(isDark ? after.lightness > before.lightness : after.lightness < before.lightness)
      #expect((0.04...0.16).contains(after.distance(to: before)), "\(before) to \(after)")
    }
  }

  @Test(arguments: Theme.builtIn.filter { $0.depth == .rgb }.map(\.name))
  func `of 256 colours a role's hue stays what it is`(name: String) throws {
    let theme = try builtIn(name)
    for role in Role.allCases {
      guard let color = theme.style(role).foreground.perceived, color.chroma > 0.05 else {
        continue
      }
      let number = Color.indexed(theme.style(role).foreground.nearest256)
      let found = try #require(number.perceived)
      let turn = abs((found.hue - color.hue).remainder(dividingBy: 2 * .pi))
      #expect(found.chroma > 0.04 && turn < 0.6, "\(role): \(found)")
    }
  }

  @Test func `a gradient of 256 colours takes those of its ramp and no others`() {
    let gradient = Theme.dark.adapted(to: .indexed256).logitsGradient
    #expect(gradient.color(at: 0) == gradient.ramp.first)
    #expect(gradient.color(at: 1) == gradient.ramp.last)
    #expect(gradient.color(at: .nan) == gradient.ramp.last)
    let taken = Set((0...1000).map { gradient.color(at: Double($0) / 1000) })
    #expect(taken == Set(gradient.ramp))
  }

  @Test(arguments: [
    ("low = #3F7A8C", "high = #FF5A50", true), ("low = #9CC7D4", "high = #A1141F", false),
    ("low = #000000", "high = #FFFFFF", true), ("low = #808080", "high = #808080", true),
  ])
  func `a gradient of a person's own goes one way too, to its own high end`(
    low: String, high: String, isDark: Bool
  ) throws {
    let theme = try Theme(
      name: "mine",
      entries: entries(
        "isDark = \(isDark)", "logitsGradient.\(low)", "logitsGradient.middle = #E3B340",
        "logitsGradient.\(high)"))
    let ramp = theme.adapted(to: .indexed256).logitsGradient.ramp
    let lightness = try ramp.map { try #require($0.perceived?.lightness) }
    #expect(lightness == (isDark ? lightness.sorted() : lightness.sorted().reversed()))
    #expect(ramp.last?.nearest256 == theme.logitsGradient.high.nearest256)
  }

  @Test(arguments: [ColorDepth.ansi16, .none])
  func `a raw line looks other than the smooth one where colours are few`(depth: ColorDepth) {
    let pairs: [(Role, Role)] = [
      (.loss, .lossFaint), (.logits, .logitsFaint), (.learningRate, .learningRateFaint),
      (.experts, .expertsFaint), (.gradients, .gradientsFaint), (.throughput, .throughputFaint),
      (.activations, .activationsFaint), (.outputs, .outputsFaint),
    ]
    for theme in Theme.builtIn.map({ $0.adapted(to: depth) }) {
      for (smooth, raw) in pairs {
        #expect(theme.style(smooth).attributes != theme.style(raw).attributes, "\(smooth)")
      }
    }
  }

  @Test(arguments: Theme.builtIn.filter { $0.depth == .rgb }.map(\.name))
  func `what a person did has a colour that no chart's line has`(name: String) throws {
    let theme = try builtIn(name)
    let lines: [Role] = [
      .loss, .logits, .learningRate, .experts, .gradients, .throughput, .activations, .outputs,
    ]
    for role in lines {
      #expect(theme.style(role).foreground != theme.style(.person).foreground, "\(role)")
    }
  }
}
