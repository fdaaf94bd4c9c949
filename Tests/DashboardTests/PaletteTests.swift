import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// Completion, aliases and what was run before.
@Suite(.timeLimit(.minutes(15))) struct PaletteTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func type(_ text: String, _ state: inout DashboardState) {
    for character in text { _ = press(&state, .character(character)) }
  }

  /// The effects of `:words ⏎`, without the one that only remembers.
  private func run(_ words: String, _ state: inout DashboardState) -> [Effect] {
    type(":" + words, &state)
    return press(&state, .enter).filter {
      if case .rememberCommand = $0 { false } else { true }
    }
  }

  @Test func `up from an empty line brings back what was run, the newest first`() {
    var state = UpdateTests.live()
    for words in ["step 10", "evaluate", "step 10"] { _ = run(words, &state) }
    #expect(state.commandHistory == ["evaluate", "step 10"])
    _ = press(&state, .character(":"), .up, .up, .up, .down, .up)
    #expect(press(&state, .enter).last == .send(.evaluate, by: "you"))
    #expect(state.commandHistory == ["step 10", "evaluate"])
    _ = press(&state, .character(":"), .up, .down, .down, .enter)
    #expect(state.layers.isEmpty, "past the newest the line is one's own again")
  }

  @Test func `what is run is to be remembered, and only so much of it`() {
    var state = UpdateTests.live()
    type(":note it is odd", &state)
    #expect(
      press(&state, .enter) == [
        .rememberCommand("note it is odd"), .send(.note("it is odd"), by: "you"),
      ])
    for count in 1...60 { _ = run("step \(count)", &state) }
    #expect(state.commandHistory.count == DashboardState.commandHistoryLimit)
    #expect(state.commandHistory.last == "step 60")
    let long = String(repeating: "x", count: 300)
    _ = run("note \(long)", &state)
    #expect(state.commandHistory.last == "step 60")
  }

  @Test func `what is wrong is not remembered`() {
    var state = UpdateTests.live()
    #expect(run("nonsense at all", &state).isEmpty)
    #expect(state.commandHistory.isEmpty && state.layers.count == 1)
  }

  @Test func `every alias means one action that there is, and no word that is one itself`() {
    let actions = Set(
      [true, false].flatMap { CommandTable.all(isMixture: $0).map(\.name) })
    let words = Command.vocabulary.map(\.name)
    let aliases = CommandTable.aliases.values.flatMap(\.self)
    #expect(Set(aliases).count == aliases.count)
    for (name, others) in CommandTable.aliases {
      #expect(actions.contains(name) || words.contains(name), "\(name)")
      for alias in others {
        #expect(!actions.contains(alias) && !words.contains(alias), "\(alias)")
      }
    }
  }

  @Test(arguments: [
    ("w", Effect.writeScreen()), ("svg", .writeScreen()), ("compare", .listRuns),
    ("redraw", .repaint),
  ])
  func `words known from elsewhere find their action`(word: String, effect: Effect) {
    var state = UpdateTests.live()
    #expect(run(word, &state) == [effect])
  }

  @Test func `a run is not ended by an alias unasked`() {
    var state = UpdateTests.live()
    #expect(run("q", &state).isEmpty)
    #expect(state.layers.count == 1)
  }

  @Test func `a setting's name and a value set it`() {
    var state = UpdateTests.live()
    #expect(
      run("z_loss 3e-4", &state) == [.send(.set(name: "z_loss", value: .number(3e-4)), by: "you")])
    #expect(run("z_loss fast", &state).isEmpty)
  }

  @Test func `the values of a setting complete it`() {
    var state = UpdateTests.live()
    type(":set z_loss ", &state)
    expectScreen(boxes(state), "palette", "values")
    #expect(press(&state, .enter).isEmpty, "nothing is chosen yet")
    #expect(
      press(&state, .down, .enter).last
        == .send(.set(name: "z_loss", value: .number(1e-4)), by: "you"))
    type(":set z", &state)
    _ = press(&state, .tab)
    type("2e", &state)
    _ = press(&state, .character("-"), .character("4"), .enter)
    #expect(state.requests.value(of: "z_loss") == .number(2e-4))
  }

  @Test func `the checkpoints complete a rewind`() throws {
    var state = UpdateTests.live()
    type(":rewind ", &state)
    expectScreen(boxes(state), "palette", "rewinds")
    let name = try #require(state.history.checkpoints.last?.name)
    _ = press(&state, .down, .down)
    #expect(
      press(&state, .enter).last == .send(.rewind(checkpoint: name, skip: 0), by: "you"))
  }

  private func boxes(_ state: DashboardState) -> CellGrid {
    var grid = CellGrid(size: Size(columns: 80, rows: 24))
    for layer in state.layers { layer.draw(on: &grid, state) }
    return grid
  }

  @Test func `a filter says what it finds while it is typed`() {
    var state = UpdateTests.live()
    type("/attention", &state)
    func row(_ state: DashboardState) -> String { view(state).lines[state.size.rows - 1] }
    let metrics = state.history.names.count { $0.path.contains("attention") }
    #expect(row(state).contains(" \(metrics) metrics  ⏎ keep"))
    type("[", &state)
    #expect(row(state).contains("no regular expression yet"))
    #expect(state.viewport.filter == "attention[")
    type("_]logit_max/[01]$", &state)
    #expect(row(state).contains(" 2 metrics"))
    _ = press(&state, .escape)
    type("/*logit*/3", &state)
    #expect(row(state).contains(" 1 metric "))
  }
}
