import Foundation
import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// Metrics of a person's own, pinned as a pane.
@Suite(.timeLimit(.minutes(15))) struct PinnedPaneTests {
  private func run(_ words: String, _ state: inout DashboardState) {
    for character in ":" + words { _ = update(&state, .keyPressed(.character(character))) }
    _ = update(&state, .keyPressed(.enter))
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) {
    for key in keys { _ = update(&state, .keyPressed(key)) }
  }

  private func text(_ state: DashboardState) -> String {
    view(state).lines.joined(separator: "\n")
  }

  @Test func `what is pinned is a pane of every layout, until it is taken away`() {
    var state = UpdateTests.live(history: SampleRun.mixture)
    run("pin loss,loss/eval", &state)
    let pane = PaneID.pinned("loss,loss/eval")
    #expect(state.layers.isEmpty && state.arrangement.focus == pane)
    #expect(state.toast?.text.hasPrefix("loss,loss/eval shown") == true)
    for _ in LayoutPreset.allCases {
      press(&state, .character("p"))
      #expect(state.layout.panes[pane] != nil)
      #expect(text(state).contains(" loss,loss/eval "))
    }
    run("unpin loss,loss/eval", &state)
    #expect(state.layout.panes[pane] == nil && state.arrangement.pins.isEmpty)
    #expect(state.layout.panes[state.arrangement.focus] != nil)
  }

  @Test func `it is zoomed, and its axis made logarithmic, as any other`() {
    var state = UpdateTests.live(history: SampleRun.full)
    run("pin grad_rms/L0.*", &state)
    press(&state, .character("y"), .enter)
    #expect(state.arrangement.zoomed?.globs == "grad_rms/L0.*")
    #expect(text(state).contains(" grad_rms/L0.* log "))
    press(&state, .tab, .escape)
    #expect(state.arrangement.zoomed == nil)
  }

  @Test(arguments: [
    ("pin", "'pin' is not complete"), ("pin nothing/*", "no metric matches 'nothing/*'"),
    ("unpin loss", "nothing is pinned"), ("pin ,", "'pin' is not complete"),
  ])
  func `what cannot be pinned is said`(words: String, complaint: String) {
    var state = UpdateTests.live()
    run(words, &state)
    #expect(state.layers.count == 1 && state.arrangement.pins.isEmpty)
    #expect(text(state).contains(complaint))
  }

  @Test func `another run's lines are drawn beside each of its own`() {
    var state = UpdateTests.live(history: SampleRun.full)
    run("pin attention_logit_max/0,attention_logit_max/1", &state)
    press(&state, .enter)
    let alone = text(state)
    _ = update(&state, .runLoaded(SampleRuns.healthy, SampleRun(experts: 8, seed: 9).history))
    state.toast = nil
    #expect(text(state).contains("━ healthy"))
    #expect(text(state).components(separatedBy: "━ healthy").count == 2)
    #expect(text(state) != alone)
    let overlay = state.appearance.theme.style(.overlayFirst).foreground
    let grid = view(state)
    let cells = (5..<grid.size.rows).flatMap { row in
      (0..<grid.size.columns).filter { grid[$0, row].style.foreground == overlay }
    }
    #expect(cells.count > 10)
  }

  @Test func `the families there are complete it`() {
    var state = UpdateTests.live(history: SampleRun.full)
    for character in ":pin grad_r" { press(&state, .character(character)) }
    press(&state, .tab, .enter)
    #expect(state.arrangement.pins == [.pinned("grad_rms/*")])
  }

  @Test(arguments: [
    (["loss", "loss/eval"], ["loss", "loss/eval"]),
    (["grad_rms/L0.qkv", "grad_rms/L1.out"], ["L0.qkv", "L1.out"]),
    (["expert_load/0/1", "expert_load/0/2"], ["E1", "E2"]),
    (["activation_rms/0", "activation_rms/3"], ["L0", "L3"]),
    (["loss"], ["loss"]), (["a/b", "a/b/c"], ["b", "b/c"]),
  ])
  func `the legend names what differs`(names: [String], labels: [String]) {
    #expect(PinnedPane.labels(of: names.map { MetricName($0) }) == labels)
  }

  @Test(arguments: [(40, 10), (58, 14), (116, 36)])
  func `a pinned pane looks as recorded`(columns: Int, rows: Int) throws {
    for (name, globs) in [
      ("losses", "loss,loss/eval"), ("gradients", "grad_rms/L0.*"), ("one", "grad_norm"),
      ("logits", "attention_logit_max/*"),
    ] {
      let pane = try #require(PaneCatalog.pane(.pinned(globs)))
      let screen = PaneScreen(history: SampleRun.full)
      expectScreen(screen.grid(pane, columns: columns, rows: rows), "pinned", name)
    }
  }

  @Test func `it draws inside its rectangle at every size`() throws {
    let pane = try #require(PaneCatalog.pane(.pinned("grad_rms/*,loss*")))
    for history in [RunHistory(), SampleRun.full, PaneSizeTests.trouble] {
      let screen = PaneScreen(history: history)
      for rows in [0, 1, 2, 3, 5, 6, 9] {
        for columns in [0, 1, 2, 13, 16, 20, 37] {
          let grid = screen.grid(pane, columns: columns, rows: rows)
          #expect(grid.size == Size(columns: columns, rows: rows))
        }
      }
    }
  }
}
