import Screen
import TestSupport
import Testing

@testable import Dashboard

/// The screen written as a file: what is asked for, and what is drawn.
@Suite(.timeLimit(.minutes(15))) struct PictureTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func type(_ text: String, _ state: inout DashboardState) {
    for character in text { _ = press(&state, .character(character)) }
  }

  static let wide = Size(columns: 160, rows: 50)

  @Test(arguments: [
    ("write A b.svg 160x50", PictureRequest(file: "A b.svg", size: wide)),
    ("write 160x50 a.svg", PictureRequest(file: "a.svg", size: wide)),
    ("w ~/a.SVG", PictureRequest(file: "~/a.SVG")),
    ("write screen 160X50", PictureRequest(size: wide)),
    ("  svg 160x50 ", PictureRequest(size: wide)),
  ])
  func `a file and a size are read, either of them or both`(
    words: String, request: PictureRequest
  ) throws {
    #expect(try PictureRequest(words: words) == request)
  }

  @Test(arguments: ["write", "write screen", "w ", "writer a.svg", "", "pause"])
  func `other words, and those that name neither, are none`(words: String) throws {
    #expect(try PictureRequest(words: words) == nil)
  }

  @Test(arguments: [
    ("write a.svg 0x50", "'0x50' is no size"), ("write a.svg 160x", "'160x' is no size"),
    ("write a.svg 1001x50", "'1001x50' is no size"), ("write a.svg wide", "'wide' is no size"),
    ("write 160", "'160' is no size"), ("write -1x5", "'-1x5' is no size"),
    ("write 99999999999999999999x5", "'99999999999999999999x5' is no size"),
    ("write a.png 160x50", "'a.png' is no SVG file"), ("write .svg", "'.svg' is no SVG file"),
  ])
  func `what is neither is named with what to give`(words: String, start: String) {
    let error = #expect(throws: PictureRequest.Flaw.self) { try PictureRequest(words: words) }
    #expect(error?.description.hasPrefix(start) == true)
    #expect(error?.description.contains("160x50") == true)
  }

  @Test func `the palette writes, says before what it will write, and remembers it`() {
    var state = UpdateTests.live()
    type(":write A.svg 160x50", &state)
    #expect(view(state).text().contains("the screen, 160 columns and 50 rows"))
    #expect(
      press(&state, .enter) == [
        .rememberCommand("write A.svg 160x50"),
        .writeScreen(PictureRequest(file: "A.svg", size: Self.wide)),
      ])
    #expect(state.layers.isEmpty)
  }

  @Test func `a bad size stays to be mended`() {
    var state = UpdateTests.live()
    type(":write a.svg 160x0", &state)
    #expect(press(&state, .enter).isEmpty)
    #expect(view(state).text().contains("'160x0' is no size: give columns and rows up to"))
    _ = press(&state, .backspace)
    type("9", &state)
    #expect(
      press(&state, .enter).last
        == .writeScreen(PictureRequest(file: "a.svg", size: Size(columns: 160, rows: 9))))
  }

  @Test func `a picture of another size is that of a screen of that size, without boxes`() {
    var state = UpdateTests.live(80, 24)
    _ = press(&state, .character("s"), .character("?"))
    let plain = UpdateTests.live(160, 50)
    var expected = plain
    expected.viewport = state.viewport
    expected.smoothed = state.smoothed
    #expect(picture(state, size: Self.wide) == view(expected))
    #expect(picture(state).size == Size(columns: 80, rows: 24))
    #expect(picture(state) != view(state))
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `a zoomed pane stands alone at the size asked for`(id: PaneID) {
    var state = UpdateTests.live(80, 24, history: SampleRun.mixture)
    (state.arrangement.focus, state.arrangement.zoomed) = (id, id)
    let grid = picture(state, size: Size(columns: 60, rows: 20))
    #expect(grid.size == Size(columns: 60, rows: 20))
    let hasFrame = PaneCatalog.pane(id)?.bare == nil
    #expect(grid.lines[0].hasPrefix("┌") == hasFrame && grid.lines[19].hasPrefix("└"))
    #expect(grid.lines[0].contains(id.title))
    for (columns, rows) in [(1, 1), (2, 9), (9, 2), (1000, 1)] {
      let size = Size(columns: columns, rows: rows)
      #expect(picture(state, size: size).size == size)
    }
  }
}
