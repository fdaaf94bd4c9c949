import Dashboard
import Foundation
import Runs
import Screen
import Signals
import Sweeps

/// A sweep as it lies in its folder, in a picture, as text or as a page.
struct SweepReport {
  private let plan: SweepPlan
  private let board: SweepBoard

  init(_ plan: SweepPlan) {
    self.plan = plan
    board = SweepBoard(plan)
  }

  private func state(_ size: Size, _ look: Look) -> SweepState {
    let name = plan.folder.path.split(separator: "/").last.map(String.init) ?? plan.folder.path
    var state = SweepState(name: name, size: size, appearance: look.appearance)
    board.look(now: 0)
    _ = board.fill(&state, isForced: true)
    return state
  }

  private func look(_ theme: String?) throws -> Look {
    let look = try Look(theme: theme, depth: .rgb, symbols: .unicode)
    for warning in look.warnings { Seismo.report(warning) }
    return look
  }

  /// One screen, without a terminal.
  func printText(size: Size, theme: String?) throws {
    let state = state(size, try look(theme))
    try StandardOutput.print(picture(state).lines.joined(separator: "\n"))
  }

  func writePicture(to path: String, size: Size, theme: String?) throws {
    let look = try look(theme)
    let state = state(size, look)
    try ScreenFile(path: path).write(
      picture(state), title: state.name, theme: look.appearance.theme)
  }

  /// A page with the picture and all numbers, in one file.
  func writePage(to path: String, size: Size, theme: String?) throws {
    let look = try look(theme)
    let state = state(size, look)
    let theme = look.appearance.theme
    let svg = picture(state).svg(
      title: state.name, background: theme.paper, foreground: theme.ink)
    let output = try OutputFile(path: path)
    try output.write(Array(page(title: state.name, svg: svg).utf8))
    try output.finish()
  }

  private func page(title: String, svg: String) -> String {
    let summary = SweepSummary(board.results)
    let dimensions = summary.dimensionRows
    return TablePage.html(
      title: title, kind: "Seismo sweep", drawing: svg,
      tables: [("Sensitivity to the rate", summary.rows)]
        + (dimensions.isEmpty ? [] : [("Intrinsic dimension", dimensions)])
        + [("Cells", cellRows)])
  }

  /// The names of the columns first.
  private var cellRows: [[String]] {
    [["cell", "options", "state", "steps", "held-out", "initial", "logits", "seconds"]]
      + plan.cells.map(row)
  }

  private func row(_ cell: SweepCell) -> [String] {
    guard let result = board.results.results[cell.number] else {
      return ["\(cell.number)", cell.words, "waiting", "", "", "", "", ""]
    }
    let numbers = [
      result.evalLoss, result.initialLoss, result.attentionLogitMax, result.seconds,
    ].map { value in value.map { NumberText.compact($0, digits: 4) } ?? "" }
    return [
      "\(cell.number)", cell.words, result.state.rawValue, NumberText.grouped(result.steps),
    ] + numbers
  }
}
