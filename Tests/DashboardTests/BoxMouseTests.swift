import Foundation
import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Clicks in boxes: what looks like a button is one.
@Suite(.timeLimit(.minutes(15))) struct BoxMouseTests {
  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  private func click(column: Int, row: Int, _ state: inout DashboardState) -> [Effect] {
    let point = Point(column: column, row: row)
    return update(&state, .mouseMoved(MouseEvent(kind: .pressed, button: .left, point: point)))
  }

  /// A click on the last place where the screen shows `text`; boxes lie over panes.
  private func click(
    _ text: String, offset: Int = 0, _ state: inout DashboardState
  ) throws -> [Effect] {
    let lines = view(state).lines
    let row = try #require(lines.lastIndex { $0.contains(text) })
    let range = try #require(lines[row].range(of: text))
    let column = lines[row].distance(from: lines[row].startIndex, to: range.lowerBound)
    return click(column: column + offset, row: row, &state)
  }

  @Test func `a click on another entry goes there, a second one takes it`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character("q"))
    #expect(try click("detach", &state).isEmpty)
    #expect(state.layers.count == 1)
    #expect(try click("detach", &state) == [.quit(.detach)])
  }

  @Test func `a click on a key of the border presses it`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character("q"))
    #expect(try click("⏎ choose", offset: 3, &state) == [.quit(.stopWithCheckpoint)])
    _ = press(&state, .character("q"))
    #expect(try click("esc stay", &state).isEmpty)
    #expect(state.layers.isEmpty)
  }

  @Test func `a sign for two keys is one on each half`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character(":"), .character("s"), .character("e"), .character("t"))
    _ = press(&state, .down, .down)
    let chosen = state.layers.map { AnyHashable($0) }
    _ = try click("↑↓", offset: 1, &state)
    #expect(state.layers.map { AnyHashable($0) } != chosen)
    _ = try click("↑↓", &state)
    #expect(state.layers.map { AnyHashable($0) } == chosen)
  }

  @Test func `a click outside closes a box and ends nothing`() {
    for key in "?:mqtro" {
      var state = UpdateTests.live()
      _ = press(&state, .character(key))
      #expect(state.layers.count == 1)
      #expect(click(column: 0, row: 23, &state).isEmpty)
      #expect(state.layers.isEmpty, "\(key)")
    }
  }

  @Test func `a click beside the entries does nothing`() throws {
    for key in "?:mqtro" {
      var state = UpdateTests.live(history: SampleRun.mixture)
      _ = press(&state, .character(key))
      let before = state.layers
      var grid = CellGrid(size: state.size)
      let corner = try #require(before[0].draw(on: &grid, state)?.outer.origin)
      let effects = click(column: corner.column, row: corner.row, &state)
      #expect(effects.isEmpty)
      #expect(state.layers.map { AnyHashable($0) } == before.map { AnyHashable($0) }, "\(key)")
    }
  }

  @Test func `a setting is chosen by a click, and switched by another`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character("m"))
    #expect(try click(" z_loss ", &state).isEmpty)
    _ = press(&state, .character(" "))
    #expect(state.requests.value(of: SettingCatalog.zLoss) == .number(1e-4))
    _ = press(&state, .character("m"), .down)
    #expect(try click(" qk_layernorm ", &state).isEmpty)
    let effects = try click(" qk_layernorm ", &state)
    #expect(effects == [.send(.set(name: "qk_layernorm", value: .flag(false)), by: "you")])
  }

  @Test func `a click on another setting drops what is being typed`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character("m"), .down, .enter, .character("9"))
    _ = try click("z_loss", &state)
    #expect(state.requests.hasChanges == false)
    _ = press(&state, .enter, .escape, .escape)
    #expect(state.layers.isEmpty)
  }

  @Test func `a theme is shown by a click and kept by another`() throws {
    var state = UpdateTests.live()
    _ = press(&state, .character("t"))
    _ = try click(" light ", offset: 2, &state)
    #expect(state.appearance.theme.name == "light")
    #expect(try click(" light ", offset: 2, &state) == [.changeTheme(name: "light")])
  }

  @Test func `a completion is taken by clicks`() throws {
    var state = UpdateTests.live()
    for key in ":evaluate" { _ = press(&state, .character(key)) }
    #expect(try click("Measure the held-out", &state).last == .send(.evaluate, by: "you"))
  }

  @Test func `a prompt's keys are buttons`() throws {
    var state = UpdateTests.live()
    for key in "Nodd" { _ = press(&state, .character(key)) }
    #expect(click(column: 3, row: 39, &state).isEmpty)
    #expect(state.layers.count == 1)
    #expect(try click("⏎ write", &state) == [.send(.note("odd"), by: "you")])
    for key in "/qk" { _ = press(&state, .character(key)) }
    _ = try click("as before", &state)
    #expect(state.layers.isEmpty && state.viewport.filter == nil)
  }

  @Test func `the wheel goes through a list`() {
    var state = UpdateTests.live()
    _ = press(&state, .character("q"))
    let wheel = MouseEvent(kind: .wheelDown, button: .none, point: Point(column: 40, row: 12))
    _ = update(&state, .mouseMoved(wheel))
    #expect(press(&state, .enter) == [.quit(.detach)])
  }
}

/// Clicks and drags on bars and charts.
@Suite(.timeLimit(.minutes(15))) struct MouseTests {
  private func mouse(
    _ kind: MouseEvent.Kind, _ button: MouseEvent.Button = .left, column: Int, row: Int,
    _ state: inout DashboardState
  ) -> [Effect] {
    let point = Point(column: column, row: row)
    return update(&state, .mouseMoved(MouseEvent(kind: kind, button: button, point: point)))
  }

  /// Where the screen shows `text` in the row.
  private func column(of text: String, row: Int, _ state: DashboardState) throws -> Int {
    let line = view(state).lines[row]
    let range = try #require(line.range(of: text))
    return line.distance(from: line.startIndex, to: range.lowerBound)
  }

  @Test func `two keys in the bottom bar are two buttons, and their word is none`() throws {
    var state = UpdateTests.live(200, 60)
    let row = 59
    let start = try column(of: "{ } rate", row: row, state)
    let rate = SettingCatalog.learningRateMultiplier
    #expect(
      mouse(.pressed, column: start, row: row, &state) == [
        .send(.set(name: rate, value: .number(0.5)), by: "you")
      ])
    #expect(
      mouse(.pressed, column: start + 2, row: row, &state) == [
        .send(.set(name: rate, value: .number(1)), by: "you")
      ])
    #expect(mouse(.pressed, column: start + 5, row: row, &state) == [])
  }

  @Test func `the keys of a banner are buttons`() throws {
    var state = UpdateTests.live()
    _ = update(&state, .recordsArrived([.state(.paused)]))
    let row = state.layout.banner.row
    let step = try column(of: ". one step", row: row, state)
    #expect(mouse(.pressed, column: step + 3, row: row, &state) == [.send(.step(1), by: "you")])
    let words = try column(of: "PAUSED", row: row, state)
    #expect(mouse(.pressed, column: words, row: row, &state) == [])
    let resume = try column(of: "space resumes", row: row, state)
    #expect(mouse(.pressed, column: resume, row: row, &state) == [.send(.resume, by: "you")])
  }

  @Test func `a replay is scrubbed on its line`() throws {
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "rescue", path: "rescue.seismo"),
      size: Size(columns: 120, rows: 40), now: 1000)
    _ = update(&state, .recordingOpened(SampleRun.rescue))
    let row = state.layout.banner.row
    _ = mouse(.pressed, column: 1, row: row, &state)
    #expect(state.playback?.isPlaying == true)
    _ = mouse(.pressed, column: 60, row: row, &state)
    #expect(state.playback?.isPlaying == false)
    let last = state.recordedSteps.upperBound
    #expect(abs(state.playhead - last / 2) < last / 20)
    _ = mouse(.dragged, column: 200, row: row + 9, &state)
    #expect(state.playhead == last)
    _ = mouse(.released, column: 0, row: row, &state)
    _ = mouse(.dragged, column: 60, row: row, &state)
    #expect(state.playhead == last)
  }

  @Test(arguments: [PaneID.loss, .attentionLogits, .gradients], [false, true])
  func `the right button sets the cursor under the pointer, whatever the axis`(
    pane: PaneID, isLogX: Bool
  ) throws {
    var state = UpdateTests.live()
    state.arrangement.show(pane)
    state.viewport.isLogX = isLogX
    let rect = try #require(state.layout.panes[pane])
    let vertical = Character(state.appearance.symbols.vertical)
    for share in [0.3, 0.5, 0.8] {
      let column = rect.column + Int(Double(rect.columns) * share)
      let row = rect.endRow - 4
      _ = mouse(.pressed, .right, column: column, row: row, &state)
      #expect(state.viewport.cursor != nil)
      let lines = view(state).lines.map(Array.init)
      let found = (rect.column + 1..<rect.endColumn - 1).filter { column in
        (rect.row + 1..<rect.endRow - 1).contains { lines[$0][column] == vertical }
      }
      // Early steps are columns apart on a log axis.
      #expect(found.contains { abs($0 - column) <= (isLogX ? 6 : 1) }, "\(column) \(found)")
    }
    #expect(state.arrangement.focus == pane)
  }

  @Test func `dragging moves a zoomed chart with the hand`() throws {
    var state = UpdateTests.live()
    let rect = try #require(state.layout.panes[.loss])
    let row = rect.row + 4
    let middle = rect.column + rect.columns / 2
    _ = mouse(.wheelUp, .none, column: middle, row: row, &state)
    let before = state.viewport.window(in: state.steps).steps
    _ = mouse(.pressed, column: middle, row: row, &state)
    _ = mouse(.dragged, column: middle + 10, row: row, &state)
    let after = state.viewport.window(in: state.steps).steps
    #expect(after.count == before.count && after.lowerBound < before.lowerBound)
    _ = mouse(.dragged, column: middle, row: row, &state)
    #expect(state.viewport.window(in: state.steps).steps == before)
    _ = mouse(.released, column: middle, row: row, &state)
    _ = mouse(.dragged, column: middle + 20, row: row, &state)
    #expect(state.viewport.window(in: state.steps).steps == before)
  }

  @Test func `the title of the focused pane zooms it`() throws {
    var state = UpdateTests.live()
    let rect = try #require(state.layout.panes[.attentionLogits])
    _ = mouse(.pressed, column: rect.column + 4, row: rect.row, &state)
    #expect(state.arrangement.focus == .attentionLogits && state.arrangement.zoomed == nil)
    _ = mouse(.pressed, column: rect.column + 4, row: rect.row, &state)
    #expect(state.arrangement.zoomed == .attentionLogits)
    _ = mouse(.pressed, column: 4, row: 1, &state)
    #expect(state.arrangement.zoomed == nil)
  }
}
