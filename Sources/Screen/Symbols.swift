/// The signs a screen is drawn with, in three sets: all of Unicode's, those the Linux console's
/// font has, and ASCII.
package struct Symbols: Hashable, Sendable {
  package enum Graph: Hashable, Sendable {
    /// Two by four dots a cell.
    case braille
    /// An upper and a lower half a cell.
    case block
    case ascii
  }

  package var graph: Graph
  package var horizontal: Unicode.Scalar
  package var vertical: Unicode.Scalar
  package var topLeft: Unicode.Scalar
  package var topRight: Unicode.Scalar
  package var bottomLeft: Unicode.Scalar
  package var bottomRight: Unicode.Scalar
  package var verticalDashed: Unicode.Scalar
  package var horizontalDashed: Unicode.Scalar
  /// A filled and an empty stretch of a gauge.
  package var gaugeFilled: Unicode.Scalar
  package var gaugeEmpty: Unicode.Scalar
  /// Bars from below: nothing, then eighths of a cell up to all of it.
  package var bars: [Unicode.Scalar]
  /// Bars from the left: nothing, then eighths of a cell up to all of it.
  package var runs: [Unicode.Scalar]
  package var upperHalf: Unicode.Scalar
  package var fullBlock: Unicode.Scalar

  package static let unicode = Symbols(
    graph: .braille, horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐",
    bottomLeft: "└", bottomRight: "┘", verticalDashed: "┆", horizontalDashed: "┄",
    gaugeFilled: "━", gaugeEmpty: "─",
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    runs: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    upperHalf: "▀", fullBlock: "█")

  package static let console = Symbols(
    graph: .block, horizontal: "─", vertical: "│", topLeft: "┌", topRight: "┐",
    bottomLeft: "└", bottomRight: "┘", verticalDashed: ":", horizontalDashed: "-",
    gaugeFilled: "■", gaugeEmpty: "─",
    bars: [" ", " ", "▄", "▄", "▄", "▄", "█", "█", "█"],
    runs: [" ", " ", "▌", "▌", "▌", "▌", "█", "█", "█"],
    upperHalf: "▀", fullBlock: "█")

  package static let ascii = Symbols(
    graph: .ascii, horizontal: "-", vertical: "|", topLeft: "+", topRight: "+",
    bottomLeft: "+", bottomRight: "+", verticalDashed: ":", horizontalDashed: "-",
    gaugeFilled: "=", gaugeEmpty: "-",
    bars: [" ", "_", "_", "_", "-", "-", "#", "#", "#"],
    runs: [" ", " ", "|", "|", "=", "=", "#", "#", "#"],
    upperHalf: "#", fullBlock: "#")

  package var isASCII: Bool { graph == .ascii }

  /// The keys as the bottom bar names them.
  package var tabKey: String { graph == .braille ? "⇥" : "tab" }
  package var enterKey: String { graph == .braille ? "⏎" : "enter" }
}

extension CellGrid {
  package mutating func drawBox(_ rect: Rect, symbols: Symbols, style: Style) {
    guard rect.columns >= 2, rect.rows >= 2 else { return }
    let right = rect.endColumn - 1
    let bottom = rect.endRow - 1
    fill(rect.top(1), symbols.horizontal, style: style)
    fill(rect.bottom(1), symbols.horizontal, style: style)
    fill(rect.left(1), symbols.vertical, style: style)
    fill(rect.right(1), symbols.vertical, style: style)
    self[rect.column, rect.row] = Cell(symbols.topLeft, style: style)
    self[right, rect.row] = Cell(symbols.topRight, style: style)
    self[rect.column, bottom] = Cell(symbols.bottomLeft, style: style)
    self[right, bottom] = Cell(symbols.bottomRight, style: style)
  }
}
