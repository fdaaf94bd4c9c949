import Screen
import Testing

@testable import Dashboard

/// Moving through the themes shows each one; esc brings the former one back, enter keeps the new.
@Suite(.timeLimit(.minutes(15))) struct ThemePickerTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  /// The screen behind the box.
  private func behind(_ state: DashboardState) -> CellGrid {
    var state = state
    state.layers = []
    return view(state)
  }

  @Test func `each theme is seen on the whole screen as it is passed, and nothing is kept yet`() {
    var state = UpdateTests.live()
    let names = state.appearance.themes.map(\.name)
    let before = behind(state)
    #expect(press(&state, .character("t")).isEmpty)
    #expect(behind(state) == before, "opening alone changes nothing")
    for name in names.dropFirst() {
      #expect(press(&state, .down).isEmpty)
      var plain = UpdateTests.live()
      plain.appearance.theme = plain.appearance.themes.first { $0.name == name } ?? .dark
      #expect(behind(state) == behind(plain), "\(name)")
      #expect(behind(state) != before, "\(name)")
    }
    #expect(press(&state, .pageUp).isEmpty && behind(state) == before)
  }

  @Test(arguments: [Key.escape, .character("q")])
  func `leaving brings back what was there, from wherever one is`(key: Key) {
    var state = UpdateTests.live()
    let before = view(state)
    #expect(press(&state, .character("t"), .down, .down, .down, .up, key).isEmpty)
    #expect(state.layers.isEmpty && view(state) == before)
  }

  @Test func `a click outside leaves too`() {
    var state = UpdateTests.live()
    let before = view(state)
    _ = press(&state, .character("t"), .down)
    let corner = MouseEvent(kind: .pressed, button: .left, point: Point(column: 0, row: 39))
    #expect(update(&state, .mouseMoved(corner)).isEmpty)
    #expect(state.layers.isEmpty && view(state) == before)
  }

  @Test func `enter keeps what is seen, and the next esc brings that back`() {
    var state = UpdateTests.live()
    #expect(
      press(&state, .character("t"), .down, .down, .enter) == [.changeTheme(name: "contrast")])
    let kept = view(state)
    #expect(state.layers.isEmpty && state.appearance.theme.name == "contrast")
    _ = press(&state, .character("t"), .up, .escape)
    #expect(view(state) == kept)
  }

  @Test func `a theme that is not in the list is brought back all the same`() {
    var state = UpdateTests.live()
    state.appearance.themes.removeFirst()
    let before = view(state)
    _ = press(&state, .character("t"), .down, .escape)
    #expect(view(state) == before)
  }

  @Test(arguments: [ColorDepth.none, .ansi16, .indexed256])
  func `with fewer colours too`(depth: ColorDepth) {
    var state = UpdateTests.live()
    state.appearance = Appearance(depth: depth)
    let before = view(state)
    _ = press(&state, .character("t"), .down)
    #expect(state.appearance.theme.depth == depth)
    _ = press(&state, .escape)
    #expect(view(state) == before)
  }
}
