import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// The list of runs as it looks.
@Suite(.timeLimit(.minutes(15))) struct RunBrowserScreenTests {
  static let sizes = [(40, 12), (80, 24), (120, 40), (200, 60)]

  private func keys(_ text: String) -> [Key] { text.map(Key.character) }

  @Test(arguments: sizes)
  func `the runs of two folders`(columns: Int, rows: Int) {
    expectScreen(view(SampleRuns.browsing(columns, rows)), "browser", "runs")
  }

  @Test(arguments: sizes)
  func `filtered, with two runs marked`(columns: Int, rows: Int) {
    let state = SampleRuns.browsing(columns, rows, keys("  /loss<5") + [.enter])
    expectScreen(view(state), "browser", "filtered")
  }

  @Test(arguments: [(80, 24), (120, 40)])
  func `runs compared on one axis`(columns: Int, rows: Int) {
    let state = SampleRuns.browsing(columns, rows, keys("  c"))
    expectScreen(view(state), "browser", "compared")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `in ASCII`(columns: Int, rows: Int) {
    var state = SampleRuns.browsing(columns, rows, keys(" "))
    state.appearance = Appearance(depth: .none, symbols: .ascii)
    let grid = view(state)
    #expect(grid.rows.allSatisfy { $0.allSatisfy { $0.scalar < 0x7F } })
    expectScreen(grid, "browser", "ascii")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40)])
  func `its keys and signs`(columns: Int, rows: Int) {
    expectScreen(view(SampleRuns.browsing(columns, rows, keys("?"))), "browser", "help")
  }

  @Test(arguments: [("tags", "jt"), ("removal", "jjjjD"), ("wrong", "/lr<3")])
  func `what it asks`(name: String, typed: String) {
    expectScreen(view(SampleRuns.browsing(80, 24, keys(typed))), "browser", name)
  }

  @Test func `a run that cannot be read says why, and a folder without runs what to do`() {
    let broken = SampleRuns.browsing(80, 24, runs: [SampleRuns.broken])
    #expect(view(broken).lines.contains { $0.contains("no session of Seismo") })
    let empty = SampleRuns.browsing(80, 24, runs: [])
    #expect(view(empty).lines.contains { $0.contains("/ and a path looks elsewhere") })
  }

  @Test func `what is said of a run below names its family, as the header does`() {
    var run = SampleRuns.healthy
    run.traits.options.merge(["architecture": "gpt2", "width": "64", "layers": "4"]) { $1 }
    let screen = view(SampleRuns.browsing(120, 40, runs: [run]))
    #expect(screen.lines.contains { $0.contains("tiny · gpt2 d64 L4") })
  }

  @Test func `no size is too small, whatever is shown`() {
    for typed in ["", "  c", "/x", "D", "jD", "t", "?", "jjjj"] {
      for columns in [0, 1, 2, 3, 7, 13, 20, 39, 44, 61] {
        for rows in [0, 1, 2, 3, 4, 5, 7, 9, 13, 15, 29, 31] {
          let grid = view(SampleRuns.browsing(columns, rows, keys(typed)))
          #expect(grid.size == Size(columns: columns, rows: rows))
        }
      }
    }
  }

  @Test func `the parts of the screen lie beside each other at every size`() {
    for rows in 0...60 {
      for (lines, isComparing) in [(0, false), (8, false), (300, false), (2, true), (5, true)] {
        let size = Size(columns: 90, rows: rows)
        let layout = BrowserLayout(size: size, lines: lines, isComparing: isComparing)
        let parts = [
          layout.header, layout.columnNames, layout.list, layout.filter, layout.details,
          layout.chart, layout.bottom,
        ]
        for (index, part) in parts.enumerated() {
          #expect(Rect(size).contains(part))
          #expect(!parts[..<index].contains { $0.intersects(part) })
        }
        if rows >= 1 { #expect(layout.list.rows >= 1) }
      }
    }
  }
}
