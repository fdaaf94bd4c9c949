import Glibc
import Screen
import Telemetry
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(15)))
struct CapabilitiesTests {
  private static let terminfo: [String: Capabilities.Description] = [
    "xterm": .init(colors: 8), "xterm-256color": .init(colors: 256),
    "xterm-direct": .init(colors: 1 << 24, hasDirectColor: true),
    "screen-256color": .init(colors: 256), "linux": .init(colors: 8, hasMouse: false),
    "vt100": .init(colors: 0, hasMouse: false), "dumb": .init(colors: 0, canMoveCursor: false),
  ]

  private static func capabilities(
    _ environment: [String: String], isUTF8: Bool = true, device: String = "/dev/pts/0",
    overrides: Capabilities.Overrides = .init()
  ) throws(TerminalError) -> Capabilities {
    try Capabilities(
      .init(
        environment: environment, isUTF8: isUTF8, devicePath: device, descriptions: terminfo),
      overrides: overrides)
  }

  @Test(arguments: [
    (["TERM": "xterm"], Capabilities.Colors.ansi16, "xterm"),
    (["TERM": "xterm-256color"], .indexed256, "xterm-256color"),
    (["TERM": "xterm-256color", "COLORTERM": "truecolor"], .rgb, "xterm-direct"),
    (["TERM": "xterm-256color", "COLORTERM": "24bit"], .rgb, "xterm-direct"),
    (["TERM": "xterm-256color", "COLORTERM": "yes"], .indexed256, "xterm-256color"),
    (["TERM": "xterm-direct"], .rgb, "xterm-direct"),
    (["TERM": "screen-256color", "COLORTERM": "truecolor"], .indexed256, "screen-256color"),
    (["TERM": "vt100"], .none, "vt100"),
    (["TERM": "xterm-256color", "NO_COLOR": "1"], .none, "xterm-256color"),
    (["TERM": "xterm-256color", "NO_COLOR": ""], .indexed256, "xterm-256color"),
    (["TERM": "linux", "COLORTERM": "truecolor"], .ansi16, "linux"),
    (["TERM": "ghost"], .ansi16, "xterm"),
    (["TERM": "ghost-256color"], .indexed256, "xterm-256color"),
    (["TERM": "ghost", "COLORTERM": "truecolor"], .indexed256, "xterm-256color"),
  ])
  func `colours are what the terminal has and the environment lets it`(
    environment: [String: String], colors: Capabilities.Colors, type: String
  ) throws {
    let found = try CapabilitiesTests.capabilities(environment)
    #expect(found.colors == colors)
    #expect(found.terminalType == type)
  }

  @Test(arguments: [
    (["TERM": "xterm-256color", "COLORTERM": "truecolor"], "xterm-256color"),
    (["TERM": "screen-256color", "COLORTERM": "24bit", "TMUX": "/tmp/tmux"], "screen-256color"),
    (["TERM": "ghost", "COLORTERM": "truecolor"], "xterm-256color"),
    // GNU screen keeps COLORTERM and does not pass such colours on.
    (["TERM": "screen-256color", "COLORTERM": "truecolor"], nil),
    (["TERM": "xterm-256color"], nil), (["TERM": "vt100", "COLORTERM": "truecolor"], nil),
    (["TERM": "xterm-direct", "COLORTERM": "truecolor"], nil),
    (["TERM": "linux", "COLORTERM": "truecolor"], nil),
    (["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"], nil),
  ])
  func `a description of our own is made where more is promised than terminfo knows`(
    environment: [String: String], type: String?
  ) {
    let traits = Capabilities.Traits(
      environment: environment, isUTF8: true, devicePath: "/dev/pts/0",
      descriptions: CapabilitiesTests.terminfo)
    #expect(traits.typeToDescribe(Capabilities.Overrides()) == type)
  }

  @Test(arguments: [
    (Capabilities.Colors.none, Capabilities.Colors.none), (.ansi16, .ansi16),
    (.indexed256, .indexed256), (.rgb, .rgb),
  ])
  func `a person's wish goes before the environment`(
    wish: Capabilities.Colors, colors: Capabilities.Colors
  ) throws {
    let found = try CapabilitiesTests.capabilities(
      ["TERM": "xterm-256color", "NO_COLOR": "1"], overrides: .init(colors: wish))
    #expect(found.colors == colors)
  }

  @Test func `a wish for more than there is gets what there is`() throws {
    let found = try CapabilitiesTests.capabilities(
      ["TERM": "linux"], overrides: .init(colors: .rgb))
    #expect(found.colors == .ansi16)
  }

  @Test(arguments: [[:], ["TERM": ""], ["TERM": "dumb"], ["TERM": "unknown"]])
  func `a terminal that can't draw is refused`(environment: [String: String]) {
    #expect(throws: TerminalError.unusable(terminalType: environment["TERM"] ?? "")) {
      try CapabilitiesTests.capabilities(environment)
    }
  }

  @Test func `signs follow the characters and the console's font`() throws {
    let xterm = ["TERM": "xterm-256color"]
    #expect(try CapabilitiesTests.capabilities(xterm).symbols == .unicode)
    #expect(try CapabilitiesTests.capabilities(xterm, isUTF8: false).symbols == .ascii)
    #expect(
      try CapabilitiesTests.capabilities(xterm, overrides: .init(isASCII: true)).symbols == .ascii)
    #expect(try CapabilitiesTests.capabilities(["TERM": "linux"]).symbols == .console)
    #expect(try CapabilitiesTests.capabilities(xterm, device: "/dev/tty3").symbols == .console)
    #expect(try CapabilitiesTests.capabilities(xterm, device: "/dev/ttyS0").symbols == .unicode)
  }

  @Test func `the mouse can be left to the terminal`() throws {
    let xterm = ["TERM": "xterm"]
    #expect(try CapabilitiesTests.capabilities(xterm).hasMouse)
    #expect(
      try !CapabilitiesTests.capabilities(xterm, overrides: .init(hasMouse: false)).hasMouse)
    #expect(try !CapabilitiesTests.capabilities(["TERM": "linux"]).hasMouse)
  }

  @Test func `an error says what, where and what to do`() {
    #expect(
      TerminalError.noTerminal(path: "/dev/tty", reason: SystemFault(ENXIO)).description
        == "no terminal at /dev/tty (No such device or address): use --headless")
    #expect(
      TerminalError.unusable(terminalType: "dumb").description
        == "terminal type 'dumb' can't draw a screen: set TERM, or use --headless")
    #expect(
      TerminalError.refused(terminalType: "odd").description
        == "curses can't start on terminal type 'odd': set TERM to xterm, or use --headless")
  }
}
