/// The archived samples of a series: parts of columns, one after the other.
struct SeriesArchive: Sendable {
  private struct Part: Sendable {
    let column: ArchivedColumn
    /// Which of the column's samples belong to the series.
    var range: Range<Int>
    /// The index of the first of them in the series.
    var start: Int

    var end: Int { start + range.count }

    /// The samples with these indices of the series, as the column counts them.
    func positions(_ indices: Range<Int>) -> Range<Int> {
      let inside = indices.clamped(to: start..<end)
      return inside.lowerBound - start + range.lowerBound..<inside.upperBound - start
        + range.lowerBound
    }
  }

  private var parts: [Part] = []

  var count: Int { parts.last?.end ?? 0 }
  var firstStep: Int? { parts.first.map { $0.column.step(at: $0.range.lowerBound) } }

  var lastStep: Int? {
    parts.last.map { part in
      part.range.upperBound == part.column.count
        ? part.column.lastStep : part.column.step(at: part.range.upperBound - 1)
    }
  }

  mutating func append(_ column: ArchivedColumn, from first: Int) {
    parts.append(Part(column: column, range: first..<column.count, start: count))
  }

  mutating func truncate(toCount count: Int) {
    parts.removeAll { $0.start >= count }
    guard var last = parts.popLast() else { return }
    last.range =
      last.range
      .lowerBound..<min(
        last.range.upperBound, last.range.lowerBound + count - last.start)
    parts.append(last)
  }

  func dropping(before index: Int) -> SeriesArchive {
    var rest = SeriesArchive()
    for part in parts where part.end > index {
      let positions = part.positions(max(index, part.start)..<part.end)
      rest.parts.append(Part(column: part.column, range: positions, start: rest.count))
    }
    return rest
  }

  private func part(holding index: Int) -> Part {
    parts[parts.lastIndex { $0.start <= index } ?? 0]
  }

  func value(at index: Int) -> Double {
    let part = part(holding: index)
    return part.column.value(at: index - part.start + part.range.lowerBound)
  }

  func step(at index: Int) -> Int {
    let part = part(holding: index)
    return part.column.step(at: index - part.start + part.range.lowerBound)
  }

  func position(atOrAfter step: Int) -> Int {
    for part in parts {
      let position = part.column.position(atOrAfter: step)
      if position < part.range.upperBound {
        return part.start + max(0, position - part.range.lowerBound)
      }
    }
    return count
  }

  func nearestBorder(to index: Int) -> Int {
    let part = part(holding: index)
    let position = part.column.nearestBorder(to: index - part.start + part.range.lowerBound)
    return part.start + min(max(position, part.range.lowerBound), part.range.upperBound)
      - part.range.lowerBound
  }

  func add(_ indices: Range<Int>, to total: inout ColumnSummary) {
    for part in parts where part.start < indices.upperBound && part.end > indices.lowerBound {
      part.column.add(part.positions(indices), to: &total)
    }
  }

  func append(_ indices: Range<Int>, to steps: inout [Int], _ values: inout [Double]) {
    for part in parts where part.start < indices.upperBound && part.end > indices.lowerBound {
      part.column.append(part.positions(indices), to: &steps, &values)
    }
  }
}
