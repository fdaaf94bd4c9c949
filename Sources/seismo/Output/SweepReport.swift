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
    let drawing = svg.range(of: "<svg").map { String(svg[$0.lowerBound...]) } ?? svg
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(Self.escaped(title)) · Seismo sweep</title>
      <style>\(Self.style)</style></head><body>
      <h1>\(Self.escaped(title))</h1>
      \(drawing)
      <h2>Sensitivity to the rate</h2>
      \(Self.table(SweepSummary(board.results).rows))
      <h2>Cells</h2>
      \(Self.table(cellRows))
      </body></html>

      """
  }

  private static let style = """

    body{margin:2rem auto;max-width:1240px;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;\
    color-scheme:light dark}
    svg{width:100%;height:auto}
    table{border-collapse:collapse;margin:1.5rem 0;font-variant-numeric:tabular-nums}
    td,th{padding:.15rem .9rem .15rem 0;text-align:left;font-weight:normal}
    th{opacity:.65}

    """

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

  private static func table(_ rows: [[String]]) -> String {
    let lines = rows.enumerated().map { index, row in
      let tag = index == 0 ? "th" : "td"
      return "<tr>" + row.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
    }
    return "<table>\n" + lines.joined(separator: "\n") + "\n</table>"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
