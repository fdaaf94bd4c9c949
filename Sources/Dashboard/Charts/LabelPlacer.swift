import Screen

/// Finds places for texts in a chart where they cover nothing and no word is cut.
struct LabelPlacer: Sendable {
  struct Placement: Sendable, Equatable {
    var column: Int
    var row: Int
    var text: String
  }

  let size: Size
  private var isTaken: [Bool]

  init(size: Size) {
    self.size = size
    isTaken = [Bool](repeating: false, count: size.columns * size.rows)
  }

  mutating func take(column: Int, row: Int, columns: Int = 1) {
    guard row >= 0, row < size.rows else { return }
    for taken in max(0, column)..<max(0, min(size.columns, column + columns)) {
      isTaken[row * size.columns + taken] = true
    }
  }

  func isFree(column: Int, row: Int, columns: Int = 1) -> Bool {
    guard row >= 0, row < size.rows, column >= 0, column + columns <= size.columns else {
      return false
    }
    return (column..<column + columns).allSatisfy { !isTaken[row * size.columns + $0] }
  }

  /// Takes the first place beside `column` for the first of `texts` that has one: right of it in
  /// the first row that has room, else left of it. A blank keeps it apart from what stands beyond.
  mutating func place(_ texts: [String], beside column: Int, rows: [Int]) -> Placement? {
    for text in texts {
      let width = TextWidth.columns(of: text)
      guard width > 0 else { continue }
      for isRight in [true, false] {
        let start = isRight ? column + 1 : column - width
        let room = isRight ? min(width + 1, size.columns - start) : min(width + 1, column)
        guard room >= width else { continue }
        let first = isRight ? start : column - room
        for row in rows where isFree(column: first, row: row, columns: room) {
          take(column: start, row: row, columns: width)
          return Placement(column: start, row: row, text: text)
        }
      }
    }
    return nil
  }
}
