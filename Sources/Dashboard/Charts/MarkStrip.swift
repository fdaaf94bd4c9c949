import Screen

/// The rows above a plot in which the marks of events are named, so that no word covers a line and
/// none moves because a line does.
struct MarkStrip {
  let columns: Int
  let rows: Int
  let time: TimeScale
  let symbols: Symbols
  private(set) var names: [Name] = []

  struct Name: Equatable {
    var mark: EventMark
    /// Of the mark in the plot.
    var column: Int
    var label: LabelPlacer.Placement
    /// Whether it has words, not only its number.
    var isNamed: Bool
  }

  /// As many rows as the names of `marks` take, of a chart of `chartRows`: a second one only where
  /// it names more.
  init(_ marks: [EventMark], _ time: TimeScale, columns: Int, chartRows: Int, symbols: Symbols) {
    let most = marks.isEmpty || chartRows < 6 ? 0 : chartRows < 12 ? 1 : 2
    var strip = MarkStrip(marks, time, columns: columns, rows: min(1, most), symbols: symbols)
    if most == 2, !strip.names.allSatisfy(\.isNamed) {
      strip = MarkStrip(marks, time, columns: columns, rows: 2, symbols: symbols)
    }
    self = strip
  }

  /// Names marks, the weightiest first: a number and words where there is room up to the next mark,
  /// else the number alone.
  private init(
    _ marks: [EventMark], _ time: TimeScale, columns: Int, rows: Int, symbols: Symbols
  ) {
    (self.columns, self.rows, self.time, self.symbols) = (columns, rows, time, symbols)
    guard rows > 0 else { return }
    let placed = marks.compactMap { mark in time.place(of: mark.step).map { (mark, $0) } }
    // In the last row each mark has a place at least for its number.
    var taken = placed.map { Stretch(mark: $0.1, row: rows - 1) }
    names = placed.compactMap { mark, place in
      guard let column = time.column(of: mark.step) else { return nil }
      let name = name(mark, at: place, column, &taken)
      for row in name.label.row + 1..<max(name.label.row + 1, rows) {
        taken.append(Stretch(mark: place, row: row))
      }
      return name
    }
  }

  /// What a label takes of a row, from its mark's place to the left and right. Places that are not
  /// rounded keep a label from coming and going as a run grows.
  private struct Stretch {
    var mark: Double
    var row: Int
    var left = 0
    var right = 0

    /// Whether there is a blank between the words of the two; the lines of marks may touch.
    func isApart(from other: Stretch) -> Bool {
      guard row == other.row else { return true }
      let (first, second) = mark <= other.mark ? (self, other) : (other, self)
      let words = first.right + second.left
      return second.mark - first.mark >= Double(words == 0 ? 1 : words + 2)
    }
  }

  /// Right of the mark's column with the number in it, else left of it with the number at the end.
  /// A name above the last row may reach over marks that are named below it.
  private func name(
    _ mark: EventMark, at place: Double, _ column: Int, _ taken: inout [Stretch]
  ) -> Name {
    let number = mark.numberText.map { symbols.isASCII ? $0 + " " : $0 } ?? ""
    for text in mark.essential + mark.texts + [""] where !(number + text).isEmpty {
      for isRight in [true, false] {
        for row in (0..<rows).reversed() {
          let head = isRight || !number.hasSuffix(" ") ? number : " " + number.dropLast()
          let words = isRight ? head + text : text + head
          let reach = TextWidth.columns(of: words) - 1
          let stretch = Stretch(
            mark: place, row: row, left: isRight ? 0 : reach, right: isRight ? reach : 0)
          guard isFree(stretch, column, taken) else { continue }
          taken.append(stretch)
          let label = LabelPlacer.Placement(
            column: column - stretch.left, row: row, text: words)
          return Name(mark: mark, column: column, label: label, isNamed: !text.isEmpty)
        }
      }
    }
    let sign = LabelPlacer.Placement(column: column, row: rows - 1, text: mark.sign)
    return Name(mark: mark, column: column, label: sign, isNamed: false)
  }

  private func isFree(_ stretch: Stretch, _ column: Int, _ taken: [Stretch]) -> Bool {
    // The last column's mark has no column to its right.
    stretch.mark >= Double(stretch.left)
      && stretch.mark + Double(stretch.right) <= Double(columns) - 0.5
      && column >= stretch.left && column + stretch.right < columns
      && taken.allSatisfy { $0.mark == stretch.mark || $0.isApart(from: stretch) }
  }

  /// Draws the names, each with its mark's line going down from it.
  func draw(into grid: inout CellGrid, at origin: Point, _ context: PaneContext) {
    for name in names {
      let style = context.style(name.mark.role)
      for row in name.label.row..<rows {
        grid[origin.column + name.column, origin.row + row] = Cell(
          symbols.verticalDashed, style: style)
      }
      let place = origin.offset(columns: name.label.column, rows: name.label.row)
      grid.write(name.label.text, at: place, style: style)
    }
  }
}

extension ChartFrame {
  /// Dashed lines through the cells that are blank.
  mutating func drawLines(of marks: [EventMark], into grid: inout CellGrid) {
    for mark in marks {
      guard let column = time.column(of: mark.step) else { continue }
      for row in 0..<plot.rows where takeFree(column, row) {
        let cell = grid[plot.column + column, plot.row + row]
        guard cell.isBlank || cell.scalar == context.symbols.horizontalDashed.value else {
          continue
        }
        put(context.symbols.verticalDashed, column, row, mark.role, into: &grid)
      }
    }
  }

  /// The numbers of marks that are named nowhere, at the tops of their lines; a line of which only
  /// one cell below the top can be seen keeps it.
  mutating func drawNumbers(of marks: [EventMark], into grid: inout CellGrid) {
    let dashed = context.symbols.verticalDashed.value
    for mark in marks {
      guard let column = time.column(of: mark.step) else { continue }
      let rows = (0..<plot.rows).filter {
        grid[plot.column + column, plot.row + $0].scalar == dashed
      }
      guard let row = rows.first, row == 0 || rows.count > 1 else { continue }
      let text = mark.numberText ?? mark.sign
      let width = TextWidth.columns(of: text)
      let hasRoom =
        column + width <= plot.columns
        && (1..<width + 1).allSatisfy { isBlankOrDashed(column + $0, row, grid) }
      grid.write(
        hasRoom ? text : mark.sign,
        at: Point(column: plot.column + column, row: plot.row + row),
        style: context.style(mark.role))
    }
  }
}

extension ChartFrame {
  private func isBlankOrDashed(_ column: Int, _ row: Int, _ grid: CellGrid) -> Bool {
    let scalar = grid[plot.column + column, plot.row + row].scalar
    return isBlank(column, row, grid) || scalar == context.symbols.horizontalDashed.value
  }

  func drawValueLabels(gutter: Int, unit: String, into grid: inout CellGrid) {
    let limit = min(5, max(1, plot.rows / 3 + 1))
    var placed: [(tick: Double, row: Int)] = []
    for tick in scale.ticks(atMost: limit) {
      let row = scale.dotRow(of: tick, dotRows: plot.rows * 4) / 4
      guard row >= 0, row < plot.rows, row < (placed.last?.row ?? .max) - 1 else { continue }
      placed.append((tick, row))
    }
    // Of so few rows the round values in between say less than the ends.
    if placed.count < 2, plot.rows == 3, scale.step == nil {
      placed = [(scale.low, 2), (scale.high, 0)]
    }
    let texts = scale.labels(placed.map(\.tick))
    for (index, (text, label)) in zip(texts, placed).enumerated() where text.count < gutter {
      let named = text + " " + unit
      let isTop = index == placed.count - 1 && !unit.isEmpty && named.count < gutter
      grid.writeRight(
        isTop ? named : text, endColumn: plot.column - 1, row: plot.row + label.row,
        style: context.style(.faint), maxColumns: gutter - 1)
    }
  }

  /// `shared` columns decide which values are there, so that charts beside each other have the same.
  func drawTimeLabels(row: Int, shared: Int, into grid: inout CellGrid) {
    for label in time.labels(columns: plot.columns, shared: shared) {
      grid.write(
        label.text, at: Point(column: plot.column + label.column, row: row),
        style: context.style(.faint))
    }
  }
}
