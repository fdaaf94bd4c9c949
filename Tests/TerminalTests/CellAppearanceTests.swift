import Screen
import Testing

@testable import Terminal

@Suite(.timeLimit(.minutes(15)))
struct CellAppearanceTests {
  private func colors(
    _ style: Style, _ depth: Capabilities.Colors, paletteSize: Int = 256
  ) -> [Int32] {
    let appearance = CellAppearance(style, depth: depth, paletteSize: paletteSize)
    return [appearance.colors.foreground, appearance.colors.background]
  }

  private func plain(_ attributes: Attributes) -> UInt32 {
    CellAppearance(Style(attributes: attributes), depth: .none, paletteSize: 0).attributes
  }

  private let red = Style(foreground: .rgb(255, 0, 0), background: .terminalDefault)

  @Test func `each depth has its own number for a colour`() {
    #expect(colors(red, .rgb) == [0xFF0000, -1])
    #expect(colors(red, .indexed256) == [196, -1])
    #expect(colors(red, .ansi16, paletteSize: 16) == [9, -1])
    #expect(colors(red, .ansi16, paletteSize: 8) == [1, -1])
    #expect(colors(red, .none) == [-1, -1])
  }

  @Test func `channels near black are no named colour`() {
    #expect(colors(Style(foreground: .rgb(0, 0, 3)), .rgb) == [8, -1])
    #expect(colors(Style(foreground: .ansi(3)), .rgb) == [3, -1])
  }

  @Test func `of eight colours the bright ones are bold and dark grey is dim, never black`() {
    let bright = CellAppearance(red, depth: .ansi16, paletteSize: 8)
    #expect(bright.attributes == plain(.bold))
    let grey = CellAppearance(
      Style(foreground: .rgb(48, 54, 61)), depth: .ansi16, paletteSize: 8)
    #expect(grey.attributes == plain(.dim))
    #expect(grey.colors.foreground == -1)
  }

  @Test func `attributes are carried at every depth`() {
    let all = [Attributes.bold, .dim, .italic, .underline, .reverse]
    for depth in Capabilities.Colors.allCases {
      let seen = all.map {
        CellAppearance(Style(attributes: $0), depth: depth, paletteSize: 8).attributes
      }
      #expect(seen == all.map(plain))
      #expect(Set(seen).count == all.count)
      #expect(!seen.contains(0))
    }
  }
}
