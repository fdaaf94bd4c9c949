import Telemetry

/// Reads a table with a row a step: Lightning's `metrics.csv`, ours, or any other with a header.
///
/// Rows may be sparse. A cell that is no number is passed over; without a column for the step rows
/// are counted.
enum CSVReader {
  /// - Throws: `noSamples` where it has no header.
  static func run(_ bytes: [UInt8], path: String) throws(FormatError) -> RecordedRun {
    var rows = CSVRows(bytes)
    guard let header = rows.next(), header.count > 1 || !(header.first ?? "").isEmpty else {
      throw .noSamples(path: path)
    }
    var assembly = RunAssembly()
    let stepColumn = LogKeys.steps.lazy.compactMap { header.firstIndex(of: $0) }.first
    let timeColumn = LogKeys.times.lazy.compactMap { header.firstIndex(of: $0) }.first
    let metrics = header.enumerated().map { index, name in
      index == stepColumn || index == timeColumn || name.isEmpty || LogKeys.isHidden(name)
        ? nil : assembly.metric(name)
    }
    var (count, oddRows) = (0, 0)
    while let row = rows.next() {
      guard row.count == header.count else {
        oddRows += 1
        continue
      }
      let step = stepColumn.map { wholeNumber(row[$0]) } ?? count
      guard let step else { continue }
      let wallTime = timeColumn.flatMap { Double(row[$0]) }.flatMap { $0.isFinite ? $0 : nil }
      // The last digits of a row without its end may be missing.
      let whole = rows.endsWithinRow ? row.dropLast() : row[...]
      if whole.count < row.count { assembly.warn("its last row has no end: a number is left out") }
      for (metric, cell) in zip(metrics, whole) {
        guard let metric, !cell.isEmpty, let value = Double(cell) else { continue }
        assembly.add(metric, step: step, wallTime: wallTime, value: value)
      }
      count += 1
    }
    if oddRows > 0 {
      assembly.warn("\(oddRows) rows have another number of cells than the header: left out")
    }
    return assembly.finished().restoringSinglePrecision()
  }

  private static func wholeNumber(_ cell: String) -> Int? {
    if let step = Int(cell) { return step }
    return Double(cell).flatMap { JSONValue.number($0).step }
  }
}

/// The rows of a table in comma-separated form; cells in quotes may hold commas and ends of line.
struct CSVRows {
  private let bytes: [UInt8]
  private var position = 0
  /// Whether the row handed out last has no end of line.
  private(set) var endsWithinRow = false

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    // A byte-order mark, as spreadsheets write it.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  /// The cells of the next row; nil at the end.
  mutating func next() -> [String]? {
    guard position < bytes.count else { return nil }
    var row: [String] = []
    while true {
      row.append(cell())
      guard position < bytes.count else {
        endsWithinRow = true
        return row
      }
      let end = bytes[position]
      position += 1
      if end == UInt8(ascii: ",") { continue }
      return row
    }
  }

  /// Reads up to the comma or the end of the line.
  private mutating func cell() -> String {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return plainCell() }
    position += 1
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte != UInt8(ascii: "\"") {
        text.append(byte)
      } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
        text.append(byte)
        position += 1
      } else {
        break
      }
    }
    return String(decoding: text, as: UTF8.self) + plainCell()
  }

  private mutating func plainCell() -> String {
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: ","),
      bytes[position] != UInt8(ascii: "\n")
    {
      position += 1
    }
    var end = position
    let endsLine = position == bytes.count || bytes[position] == UInt8(ascii: "\n")
    if endsLine, end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
