/// Columns as wide as what stands in them.
enum TextTable {
  static func widths(_ rows: [[String]]) -> [Int] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
  }

  static func lines(_ rows: [[String]], rightAligned: Set<Int> = []) -> [String] {
    let widths = widths(rows)
    return rows.map { row in
      let cells = row.enumerated().map { column, text in
        let gap = String(repeating: " ", count: max(0, widths[column] - text.count))
        return rightAligned.contains(column) ? gap + text : text + gap
      }
      let line = cells.joined(separator: "  ")
      let end = line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex
      return String(line[..<end])
    }
  }
}
