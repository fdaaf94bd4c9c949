import Screen
import Signals
import Telemetry

@testable import Dashboard

/// What a pane draws by itself, headline first.
struct PaneScreen: Sendable {
  var history = SampleRun.rescue
  var playhead: Int?
  var steps: Range<Int>?
  var change: @Sendable (inout PaneContext) -> Void = { _ in }

  func context(_ pane: PaneID) -> PaneContext {
    let last = playhead ?? history.lastStep ?? 0
    var context = PaneContext(
      history: history, playhead: last,
      window: TimeWindow(steps: steps ?? 0..<last + 1, isAll: steps == nil),
      isLogY: pane == .attentionLogits || pane == .gradients, smoothing: 0.97)
    change(&context)
    return context
  }

  func grid(_ pane: Pane, columns: Int, rows: Int) -> CellGrid {
    let context = context(pane.id)
    var grid = CellGrid(columns: columns, rows: rows, style: context.style(.background))
    pane.draw(&grid, grid.bounds, context)
    grid.adapt(to: context.symbols)
    return grid
  }

  func headline(_ pane: Pane) -> String {
    pane.headline(context(pane.id)).map(\.text).joined()
  }
}

extension PaneScreen {
  static let mixture = PaneScreen(history: SampleRun.mixture)
  static let empty = PaneScreen(history: RunHistory())
}
