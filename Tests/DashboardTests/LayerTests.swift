import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct LayerTests {
  static let sizes = [(40, 12), (80, 24), (120, 40), (200, 60)]

  /// The layers alone on an empty screen, after `keys`.
  private func layers(
    _ columns: Int, _ rows: Int, after keys: [Key], symbols: Symbols = .unicode
  ) -> CellGrid {
    var state = UpdateTests.live(columns, rows, history: SampleRun.mixture)
    state.appearance.symbols = symbols
    for key in keys { _ = update(&state, .keyPressed(key)) }
    var grid = CellGrid(size: state.size)
    for layer in state.layers { layer.draw(on: &grid, state) }
    grid.adapt(to: symbols)
    return grid
  }

  private func keys(_ text: String) -> [Key] { text.map(Key.character) }

  @Test(arguments: sizes)
  func `help lists what can be done`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("?")), "help", "all")
  }

  @Test func `help finds by word`() {
    expectScreen(layers(80, 24, after: keys("?rate")), "help", "search")
    expectScreen(layers(80, 24, after: keys("?no such thing")), "help", "nothing")
  }

  @Test(arguments: sizes)
  func `the palette completes`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys(":set ")), "palette", "set")
  }

  @Test func `the palette says what is wrong`() {
    expectScreen(
      layers(80, 24, after: keys(":set lr.multiplier fast") + [.enter]), "palette", "wrong")
  }

  @Test(arguments: sizes)
  func `mitigations show value, range and purpose`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("m")), "mitigations", "list")
  }

  @Test(arguments: sizes)
  func `a number is edited in place`(columns: Int, rows: Int) {
    let typed = keys("m") + [.down, .enter, .backspace] + keys("0.25")
    expectScreen(layers(columns, rows, after: typed), "mitigations", "edit")
    expectScreen(
      layers(columns, rows, after: typed + keys("x") + [.enter]), "mitigations", "wrong")
  }

  @Test(arguments: sizes)
  func `rewinding shows each checkpoint with its loss and what happened since`(
    columns: Int, rows: Int
  ) {
    expectScreen(layers(columns, rows, after: keys("r") + [.right, .down]), "rewind", "second")
  }

  @Test(arguments: sizes)
  func `branching asks for the name`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("blow")), "branch", "name")
  }

  @Test(arguments: sizes)
  func `quitting asks`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("q")), "quit", "first")
  }

  @Test(arguments: sizes)
  func `themes are shown with their colours`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("t") + [.down]), "themes", "second")
  }

  @Test(arguments: sizes)
  func `prompts stand in the bottom row`(columns: Int, rows: Int) {
    expectScreen(layers(columns, rows, after: keys("Nlooks odd")), "prompt", "note")
    expectScreen(layers(columns, rows, after: keys("/qk")), "prompt", "filter")
  }

  @Test(arguments: sizes)
  func `boxes can be drawn in ASCII`(columns: Int, rows: Int) {
    for (name, text) in [
      ("help", "?"), ("mitigations", "m"), ("quit", "q"), ("palette", ":"), ("rewind", "r"),
      ("themes", "t"), ("filter", "/qk"),
    ] {
      let grid = layers(columns, rows, after: keys(text), symbols: .ascii)
      expectScreen(grid, "ascii", name)
      let isASCII = grid.rows.allSatisfy { $0.allSatisfy { $0.scalar < 0x7F } }
      #expect(isASCII)
    }
  }

  @Test func `every layer can be drawn and used at any size`() {
    for text in ["?", ":", "m", "q", "t", "N", "/"] {
      for columns in [0, 1, 2, 5, 19, 40, 81] {
        for rows in [0, 1, 2, 3, 6, 11, 25] {
          let typed = keys(text) + [.down, .enter, .backspace, .up, .character("é"), .tab]
          #expect(layers(columns, rows, after: typed).size.columns == columns)
        }
      }
    }
  }
}

@Suite(.timeLimit(.minutes(15))) struct LayerBehaviourTests {
  /// The effects of the keys, without those that only remember.
  private func press(_ state: inout DashboardState, _ keys: [Key]) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }.filter {
      if case .rememberCommand = $0 { false } else { true }
    }
  }

  private func keys(_ text: String) -> [Key] { text.map(Key.character) }

  @Test func `help runs what is chosen`() {
    var state = UpdateTests.live()
    let effects = press(&state, keys("?checkpoint") + [.enter])
    #expect(effects == [.send(.checkpoint, by: "you")])
    #expect(state.layers.isEmpty)
  }

  @Test func `tab goes from the keys to the words and back, and both are searched`() {
    var state = UpdateTests.live(120, 40, history: SampleRun.mixture)
    _ = press(&state, keys("?") + [.tab])
    #expect(view(state).text().contains("MaxVio"))
    _ = press(&state, keys("curvature"))
    let found = view(state).text()
    #expect(found.contains("sharpness") && !found.contains("MaxVio"))
    #expect(press(&state, [.enter]).isEmpty && state.layers.count == 1)
    _ = press(&state, [.tab])
    #expect(view(state).text().contains("nothing found"))
  }

  @Test func `a key of its own lists the words`() {
    var state = UpdateTests.live(120, 40, history: SampleRun.mixture)
    _ = press(&state, keys("W"))
    #expect(view(state).text().contains("adagc"))
  }

  @Test(arguments: [
    "sensitivity", "cliff", "cv", "MaxVio", "noise scale", "nats", "log Z",
    "spike", "qk-layernorm", "z-loss", "sharpness", "dead expert", "ε",
  ])
  func `the words of the screen are explained`(word: String) {
    #expect(WordList.words.contains { $0.name == word && $0.meaning.count > 20 })
  }

  @Test func `the words stand in the order of the alphabet`() {
    let names = WordList.words.map { $0.name.lowercased() }.filter { $0.first?.isASCII == true }
    #expect(names == names.sorted())
  }

  @Test func `the mouse is named in help`() {
    var state = UpdateTests.live(120, 40, history: SampleRun.mixture)
    _ = press(&state, keys("?mouse"))
    let text = view(state).text()
    for word in ["click", "wheel", "drag"] { #expect(text.contains(word), "\(word)") }
    #expect(press(&state, [.enter]).isEmpty)
  }

  @Test func `the first visit says by which keys a pane is explained, until they are pressed`() {
    var state = UpdateTests.live(120, 40, history: SampleRun.mixture)
    #expect(!view(state).text().contains("what this shows"))
    state.showsHelpHint = true
    #expect(view(state).text().contains(" enter, then ?: what this shows "))
    _ = press(&state, [.enter])
    #expect(view(state).text().contains(" ?: what this shows "))
    _ = press(&state, keys("?") + [.escape])
    #expect(!view(state).text().contains("what this shows"))
  }

  @Test func `the palette runs a command with its words`() {
    var state = UpdateTests.live()
    #expect(press(&state, keys(":step 10") + [.enter]) == [.send(.step(10), by: "you")])
    #expect(
      press(&state, keys(":set z_loss 0.0001") + [.enter]) == [
        .send(.set(name: "z_loss", value: .number(0.0001)), by: "you")
      ])
    #expect(press(&state, keys(":note odd dip") + [.enter]) == [.send(.note("odd dip"), by: "you")])
  }

  @Test func `the palette completes with tab and runs an action by its name`() {
    var state = UpdateTests.live()
    #expect(press(&state, keys(":eval") + [.tab, .enter]) == [.send(.evaluate, by: "you")])
    #expect(press(&state, keys(":write") + [.enter]) == [.writeScreen()])
  }

  @Test func `a number setting is completed, not guessed`() {
    var state = UpdateTests.live()
    #expect(press(&state, keys(":set z_l") + [.enter]).isEmpty)
    #expect(press(&state, keys("0.01") + [.enter]).count == 1)
  }

  @Test func `a flag is switched by enter, and back by a second one before the run answers`() {
    var state = UpdateTests.live(history: SampleRun.rescue)
    let isOn = state.setting("qk_layernorm")?.isOn == true
    let first = press(&state, keys("m") + [.enter])
    #expect(first == [.send(.set(name: "qk_layernorm", value: .flag(!isOn)), by: "you")])
    #expect(state.layers.isEmpty, "the charts show what comes of it")
    let second = press(&state, keys("m") + [.enter])
    #expect(second == [.send(.set(name: "qk_layernorm", value: .flag(isOn)), by: "you")])
  }

  @Test func `space sets a number to its usual value and back to nothing`() throws {
    var state = UpdateTests.live(history: SampleRun.rescue)
    let index = try #require(state.history.settings.firstIndex { $0.name == "z_loss" })
    let there = keys("m") + [Key](repeating: .down, count: index)
    #expect(
      press(&state, there + keys(" "))
        == [.send(.set(name: "z_loss", value: .number(1e-4)), by: "you")])
    #expect(
      press(&state, there + keys(" "))
        == [.send(.set(name: "z_loss", value: .number(0)), by: "you")])
  }

  @Test func `a setting that is refused says why and sends nothing`() {
    var state = UpdateTests.live()
    var settings = state.history.settings
    settings[0].refusal = "the model has no attention"
    state.history.append(.settings(settings))
    #expect(press(&state, keys("m") + [.enter]).isEmpty)
    #expect(screenText(state).contains("the model has no attention"))
  }

  @Test func `a value out of range is not sent and stays to be mended`() {
    var state = UpdateTests.live()
    #expect(press(&state, keys("m") + [.down, .enter] + keys("e99") + [.enter]).isEmpty)
    #expect(screenText(state).contains("is no value: give a number from 0 to 1000"))
  }

  @Test func `the theme picker shows as it goes, keeps on enter and restores on esc`() {
    var state = UpdateTests.live()
    _ = press(&state, keys("t") + [.down])
    #expect(state.appearance.theme.name == "light")
    _ = press(&state, [.escape])
    #expect(state.appearance.theme.name == "dark")
    #expect(press(&state, keys("t") + [.down, .enter]) == [.changeTheme(name: "light")])
    #expect(state.appearance.theme.name == "light")
  }

  @Test func `a theme is shown in the colours the terminal has`() {
    var state = UpdateTests.live()
    state.appearance = Appearance(depth: .ansi16)
    _ = press(&state, keys("t") + [.down, .enter])
    #expect(state.appearance.theme.depth == .ansi16)
    #expect(!state.appearance.theme.isDark)
  }

  @Test func `text that comes in one piece goes where one types, without its line ends`() {
    var state = UpdateTests.live()
    _ = press(&state, keys("N"))
    _ = update(&state, .textPasted("two\nlines q"))
    #expect(press(&state, [.enter]) == [.send(.note("twolines q"), by: "you")])
    #expect(update(&state, .textPasted("qqq")).isEmpty)
  }

  @Test func `esc closes every box`() {
    for text in ["?", ":", "m", "q", "t", "N", "/"] {
      var state = UpdateTests.live()
      _ = press(&state, keys(text) + [.escape])
      #expect(state.layers.isEmpty)
    }
  }

  private func screenText(_ state: DashboardState) -> String {
    let grid = view(state)
    return (0..<grid.size.rows).map { grid.line($0) }.joined(separator: "\n")
  }
}
