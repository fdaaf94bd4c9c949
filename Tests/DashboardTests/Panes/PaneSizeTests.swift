import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct PaneSizeTests {
  static let trouble = SampleRun(experts: 8, steps: 401, divergesAt: 300, spikesAt: 200).history

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `a pane draws inside its rectangle at every size`(id: PaneID) throws {
    let pane = try #require(PaneCatalog.pane(id))
    let histories = [RunHistory(), SampleRun(steps: 1).history, Self.trouble]
    for history in histories {
      var screen = PaneScreen(history: history)
      screen.change = { $0.cursorStep = 100 }
      let context = screen.context(id)
      for rows in [0, 1, 2, 3, 4, 5, 7, 9, 14] {
        for columns in [0, 1, 2, 5, 13, 14, 16, 20, 24, 36, 37, 57, 90] {
          let rect = Rect(column: 3, row: 2, columns: columns, rows: rows)
          var grid = CellGrid(columns: columns + 7, rows: rows + 5)
          pane.draw(&grid, rect, context)
          #expect(isBlankOutside(rect, grid), "\(id) \(columns)x\(rows)")
        }
      }
    }
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `a pane shows something from 20x4 up`(id: PaneID) throws {
    let pane = try #require(PaneCatalog.pane(id))
    for (columns, rows) in [(20, 4), (30, 5), (58, 14), (116, 36)] {
      let grid = PaneScreen.mixture.grid(pane, columns: columns, rows: rows)
      let isEmpty = grid.lines.allSatisfy { $0.allSatisfy { $0 == " " } }
      #expect(!isEmpty, "\(id) \(columns)x\(rows)")
    }
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `a pane survives values of any size`(id: PaneID) throws {
    let pane = try #require(PaneCatalog.pane(id))
    let wild: [Double] = [
      .nan, .infinity, -.infinity, 0, -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
      .leastNonzeroMagnitude, 1e300, -1e-300, 1, 1e18, -1e18,
    ]
    let names = SampleRun.mixture.names
    for value in wild {
      var history = RunHistory()
      for record in SampleRun(experts: 8, steps: 1).records { history.append(record) }
      for step in 1..<40 {
        let samples = StepSamples(
          step: step, wallTime: SampleRun.time(of: step), names: names,
          values: names.indices.map { wild[($0 + step) % 3 == 0 ? step % wild.count : 7] + value })
        history.append(.samples(samples))
      }
      for isLog in [true, false] {
        var screen = PaneScreen(history: history)
        screen.change = {
          $0.isLogY = isLog
          $0.cursorStep = 20
        }
        _ = screen.headline(pane)
        #expect(screen.grid(pane, columns: 60, rows: 18).size.rows == 18)
      }
    }
  }

  @Test func `nothing after the playhead is drawn`() throws {
    for pane in PaneCatalog.panes where pane.id != .console && pane.id != .run {
      let long = PaneScreen(history: SampleRun.mixture, playhead: 700)
      let short = PaneScreen(history: SampleRun(experts: 8, steps: 701).history)
      #expect(long.headline(pane) == short.headline(pane), "\(pane.id)")
      let found = long.grid(pane, columns: 70, rows: 20)
      let expected = short.grid(pane, columns: 70, rows: 20)
      #expect(found.text() == expected.text(), "\(pane.id)")
    }
  }

  private func isBlankOutside(_ rect: Rect, _ grid: CellGrid) -> Bool {
    for row in 0..<grid.size.rows {
      for column in 0..<grid.size.columns
      where !rect.contains(Point(column: column, row: row)) && grid[column, row] != .blank {
        return false
      }
    }
    return true
  }
}
