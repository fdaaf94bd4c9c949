/// A field of colours with two rows a cell, for heat maps.
package struct ColorField: Sendable {
  /// How a cell shows its two samples.
  package enum Rendering: Hashable, Sendable {
    /// An upper half block, its foreground the upper sample and its background the lower.
    case halfBlocks
    /// The digit 0–9 of the larger level, where there are no colours or no blocks.
    case digits
  }

  package struct Sample: Hashable, Sendable {
    package var color: Color
    /// 0 to 1, what the digit says.
    package var level: Double

    package init(color: Color, level: Double) {
      self.color = color
      self.level = level
    }
  }

  package let columns: Int
  package let sampleRows: Int
  private var samples: [Sample?]

  package init(columns: Int, rows: Int) {
    self.columns = max(0, columns)
    sampleRows = max(0, rows) * 2
    samples = [Sample?](repeating: nil, count: self.columns * sampleRows)
  }

  package subscript(x: Int, y: Int) -> Sample? {
    get {
      guard x >= 0, x < columns, y >= 0, y < sampleRows else { return nil }
      return samples[y * columns + x]
    }
    set {
      guard x >= 0, x < columns, y >= 0, y < sampleRows else { return }
      samples[y * columns + x] = newValue
    }
  }

  /// Draws the cells that have a sample; `style` gives their role and attributes.
  package func draw(
    into grid: inout CellGrid, at origin: Point, style: Style, rendering: Rendering
  ) {
    for row in 0..<(sampleRows / 2) {
      for column in 0..<columns {
        let target = origin.offset(columns: column, rows: row)
        let upper = self[column, 2 * row]
        let lower = self[column, 2 * row + 1]
        switch rendering {
        case .halfBlocks: drawHalves(upper, lower, into: &grid, at: target, style: style)
        case .digits: drawDigit(upper, lower, into: &grid, at: target, style: style)
        }
      }
    }
  }

  private func drawHalves(
    _ upper: Sample?, _ lower: Sample?, into grid: inout CellGrid, at point: Point, style: Style
  ) {
    var style = style
    switch (upper, lower) {
    case (nil, nil): return
    case (let upper?, let lower?):
      style.foreground = upper.color
      style.background = lower.color
      grid[point.column, point.row] = Cell("▀", style: style)
    case (let upper?, nil):
      style.foreground = upper.color
      grid[point.column, point.row] = Cell("▀", style: style)
    case (nil, let lower?):
      style.foreground = lower.color
      grid[point.column, point.row] = Cell("▄", style: style)
    }
  }

  private func drawDigit(
    _ upper: Sample?, _ lower: Sample?, into grid: inout CellGrid, at point: Point, style: Style
  ) {
    let present = [upper, lower].compactMap { $0 }
    guard let sample = present.max(by: { $0.level < $1.level }) else { return }
    let level = sample.level.isNaN ? 0 : min(max(sample.level, 0), 1)
    let digit = UInt32(min(9, Int(level * 10)))
    var style = style
    if !sample.color.isTerminalDefault { style.foreground = sample.color }
    grid[point.column, point.row] = Cell(scalar: 0x30 + digit, style: style)
  }
}
