extension CellGrid {
  /// One string a row, trailing blanks kept.
  package var lines: [String] { rows.map(CellGrid.text) }

  /// The rows between bars, so that trailing blanks count; with `roles`, the same rows after them
  /// with a letter a cell for the role its style came from.
  package func text(roles: Bool = false) -> String {
    let shown = lines.map { "|\($0)|\n" }.joined()
    guard roles else { return shown }
    let letters = rows.map { row in
      "|" + String(decoding: row.map { CellGrid.letter($0.style.role) }, as: UTF8.self) + "|\n"
    }
    return shown + "\n" + letters.joined()
  }

  /// What one row says, trailing blanks kept; empty outside the grid.
  package func line(_ row: Int) -> String {
    rows.indices.contains(row) ? CellGrid.text(rows[row]) : ""
  }

  private static func text(_ row: [Cell]) -> String {
    var scalars = String.UnicodeScalarView()
    for cell in row where !cell.isContinuation {
      scalars.append(Unicode.Scalar(cell.scalar) ?? DisplayScalars.replacement)
    }
    return String(scalars)
  }

  private static func letter(_ role: UInt8) -> UInt8 {
    (0x21...0x7E).contains(role) ? role : UInt8(ascii: "?")
  }
}
