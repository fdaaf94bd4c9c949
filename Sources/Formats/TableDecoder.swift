/// Decodes a table with a row a step: Lightning's `metrics.csv`, ours, what TensorBoard and W&B let
/// people download, or any other with a header; separated by commas, semicolons, tabs or bars.
///
/// Rows may be sparse and lines empty. A header that comes again is no row; one with other columns
/// holds from there on.
package struct TableDecoder: LogDecoder {
  private let path: String
  private var rest: [UInt8] = []
  private var header: TableHeader? {
    didSet { metrics = [] }
  }
  /// What stands for each column's metric, as far as it is known.
  private var metrics: [Int?] = []
  private var clock = RowClock()
  private var row = TableRow()
  private var oddRows = 0
  /// Whether the rest of a line that is nobody's row is passed over.
  private var isSkipping = false
  private var overlongLines = 0
  private var longRows: LongRows

  /// `path`: names the metric of a table that does not name it.
  /// `run`: which run of a long table is decoded; nil for the first.
  package init(path: String, run: String? = nil) {
    self.path = path
    longRows = LongRows(run: run)
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    batch.restoresSinglePrecision = true
    guard let newline = LineCutter.end(of: bytes, from: 0) else { return keep(bytes) }
    let bytes = rest.isEmpty ? bytes : rest + bytes
    var position = isSkipping ? newline + 1 : 0
    isSkipping = false
    // A byte-order mark, as spreadsheets write it.
    if header == nil, position == 0, bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    while let end = row.read(bytes, from: position, separator: header?.separator, isLast: false) {
      take(bytes, isCut: false, into: &batch)
      position = end
    }
    rest = Array(bytes[position...])
  }

  /// Keeps what has no end yet, unless it is longer than any row.
  private mutating func keep(_ bytes: [UInt8]) {
    guard !isSkipping else { return }
    rest += bytes
    guard rest.count > LineCutter.mostBytes else { return }
    (rest, isSkipping) = ([], true)
    overlongLines += 1
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    batch.restoresSinglePrecision = true
    var position = 0
    while position < rest.count,
      let end = row.read(rest, from: position, separator: header?.separator, isLast: true)
    {
      take(rest, isCut: end == rest.count && rest.last != 0x0a, into: &batch)
      position = end
    }
    rest = []
    if overlongLines > 0 {
      let most = LineCutter.mostBytes >> 20
      batch.warn("\(overlongLines) lines of more than \(most) MiB are left out")
    }
    if oddRows > 0 {
      batch.warn("\(oddRows) rows have another number of cells than the header: left out")
    }
    guard header != nil else { throw .noSamples(path: path) }
  }

  private mutating func take(_ bytes: [UInt8], isCut: Bool, into batch: inout RunBatch) {
    guard !row.isBlank(bytes) else { return }
    guard let header else {
      self.header = TableHeader(row.texts(bytes), separator: row.separator, path: path)
      return
    }
    if header.isRepeated(by: row, bytes) {
      let texts = row.texts(bytes)
      if texts != header.names {
        self.header = TableHeader(texts, separator: header.separator, path: path)
      }
      return
    }
    guard row.count == header.columns.count else {
      oddRows += 1
      return
    }
    // The last digits of a row without its end may be missing.
    if isCut { batch.warn("its last row has no end: a number is left out") }
    if let columns = header.longColumns {
      if !isCut { longRows.take(row, bytes, columns, into: &batch) }
      return
    }
    takeCells(bytes, count: isCut ? row.count - 1 : row.count, header, into: &batch)
  }

  private mutating func takeCells(
    _ bytes: [UInt8], count: Int, _ header: TableHeader, into batch: inout RunBatch
  ) {
    var cells: [RowClock.Cell] = []
    var time: Double?
    for index in 0..<count where !row.isEmpty(index) {
      let column = header.columns[index]
      guard !column.isPassedOver else { continue }
      let value = row.number(index, bytes, decimalComma: header.separator == UInt8(ascii: ";"))
      if let value, column.role == .other {
        batch.add(metric(ofColumn: index, column.name, in: &batch), value)
      } else if let value {
        let metric =
          column.isHidden ? nil : metric(ofColumn: index, column.name, in: &batch)
        cells.append(RowClock.Cell(metric: metric, role: column.role, value: value))
      } else if case .time = column.role {
        time = clock.time(row.text(index, bytes), in: &batch) ?? time
      }
    }
    clock.endRow(cells, time: time, in: &batch)
  }

  private mutating func metric(
    ofColumn index: Int, _ name: String, in batch: inout RunBatch
  ) -> Int {
    while metrics.count <= index { metrics.append(nil) }
    if let metric = metrics[index] { return metric }
    let metric = batch.metric(name)
    metrics[index] = metric
    return metric
  }
}

/// The names of a table's columns, and what each is for.
struct TableHeader {
  struct Column {
    let name: String
    let role: LogKeys.Role
    let isHidden: Bool
    var isPassedOver: Bool { name.isEmpty || isHidden && role == .other }
  }

  let names: [String]
  let columns: [Column]
  let separator: UInt8
  /// Where a long table, of a row a sample, has what; nil of a wide one.
  let longColumns: LongRows.Columns?

  init(_ names: [String], separator: UInt8, path: String) {
    self.names = names
    self.separator = separator
    // Some pad them, so that their columns stand below each other.
    let names = names.map { $0.trimmed }
    longColumns = LongRows.Columns(names)
    let roles = names.map { LogKeys.role(of: $0) }
    let isDownload = names.contains { $0.hasSuffix("__MIN") }
    let runs = Set(names.compactMap { isDownload ? Self.downloaded($0)?.run : nil })
    columns = zip(names, roles).map { name, role in
      var name = name
      if isDownload, let (run, metric) = Self.downloaded(name) {
        // Of several runs each metric is a family with a member a run.
        name = runs.count == 1 ? metric : "\(metric)/\(run)"
      }
      if name == "Value", roles.contains(.step(rank: 0)) { name = Self.stem(path) }
      return Column(name: name, role: role, isHidden: LogKeys.isHidden(name))
    }
  }

  /// W&B's downloads call a column `RUN - METRIC`, its least and greatest `RUN - METRIC__MIN`.
  private static func downloaded(_ name: String) -> (run: String, metric: String)? {
    let parts = name.split(separator: " - ", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    for (ending, word) in [("__MIN", "/min"), ("__MAX", "/max")] where parts[1].hasSuffix(ending) {
      return (parts[0], parts[1].dropLast(ending.count) + word)
    }
    return (parts[0], parts[1])
  }

  private static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// Whether a row is the header once more, or one with other columns.
  func isRepeated(by row: TableRow, _ bytes: [UInt8]) -> Bool {
    guard row.count > 0, !row.isEmpty(0), row.number(0, bytes, decimalComma: false) == nil else {
      return false
    }
    let texts = row.texts(bytes)
    guard texts != names else { return true }
    // Names alone, and those that there were among them.
    return texts.allSatisfy { !$0.isEmpty && WrittenNumber.read($0) == nil }
      && Set(names).isSubset(of: texts)
  }
}

/// The cells of one row: where they stand, and the texts of those in quotes.
struct TableRow {
  /// A row of more bytes has a quote without its end.
  static let mostBytes = 1 << 20

  private(set) var separator = UInt8(ascii: ",")
  private var starts: [Int] = []
  private var ends: [Int] = []
  private var quoted: [Int: String] = [:]

  var count: Int { starts.count }

  /// Reads the row at `start`. Cells in quotes may hold separators and ends of line.
  ///
  /// `separator`: nil where it is to be found by looking.
  /// - Returns: where the next row begins; nil where this one has no end yet.
  mutating func read(
    _ bytes: [UInt8], from start: Int, separator known: UInt8?, isLast: Bool
  ) -> Int? {
    guard start < bytes.count else { return nil }
    let newline = LineCutter.end(of: bytes, from: start)
    guard let line = newline ?? (isLast ? bytes.count : nil) else { return nil }
    separator = known ?? Self.separator(of: bytes[start..<line])
    removeAll()
    var position = start
    while true {
      guard position < line, bytes[position] == UInt8(ascii: "\"") else {
        position = plainCell(bytes, from: position, end: line)
        if position < line { position += 1; continue }
        return min(line + 1, bytes.count)
      }
      return readQuoted(bytes, from: start, isLast: isLast, line: line)
    }
  }

  private mutating func removeAll() {
    starts.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    if !quoted.isEmpty { quoted.removeAll() }
  }

  /// - Returns: where the separator behind the cell stands, or the end.
  private mutating func plainCell(_ bytes: [UInt8], from start: Int, end: Int) -> Int {
    var position = start
    while position < end, bytes[position] != separator { position += 1 }
    starts.append(start)
    let isLast = position == end
    ends.append(isLast && position > start && bytes[position - 1] == 0x0d ? position - 1 : position)
    return position
  }

  /// Reads a row that has a cell in quotes, over its line's end where it is inside of one.
  private mutating func readQuoted(
    _ bytes: [UInt8], from start: Int, isLast: Bool, line: Int
  ) -> Int? {
    removeAll()
    var position = start
    while true {
      if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
        guard let after = quotedCell(bytes, from: position, isLast: isLast) else {
          guard bytes.count - start > Self.mostBytes else { return nil }
          removeAll()
          return line + 1
        }
        position = after
      } else {
        position = plainCell(bytes, from: position, end: Self.endOfLine(bytes, position))
      }
      guard position < bytes.count else { return isLast ? bytes.count : nil }
      if bytes[position] != separator { return position + 1 }
      position += 1
    }
  }

  private static func endOfLine(_ bytes: [UInt8], _ position: Int) -> Int {
    LineCutter.end(of: bytes, from: position) ?? bytes.count
  }

  private mutating func quotedCell(_ bytes: [UInt8], from start: Int, isLast: Bool) -> Int? {
    var text: [UInt8] = []
    var position = start + 1
    var isClosed = false
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte != UInt8(ascii: "\"") {
        text.append(byte)
      } else if position < bytes.count, bytes[position] == byte {
        text.append(byte)
        position += 1
      } else {
        // A second quote may be the next byte to come.
        isClosed = position < bytes.count || isLast
        break
      }
    }
    guard isClosed || isLast else { return nil }
    let end = plainCell(bytes, from: position, end: Self.endOfCell(bytes, position, separator))
    let cell = count - 1
    quoted[cell] =
      String(decoding: text, as: UTF8.self)
      + String(decoding: bytes[starts[cell]..<ends[cell]], as: UTF8.self)
    return end
  }

  private static func endOfCell(_ bytes: [UInt8], _ start: Int, _ separator: UInt8) -> Int {
    var position = start
    while position < bytes.count, bytes[position] != separator, bytes[position] != 0x0a {
      position += 1
    }
    return position
  }

  /// The separator that a header has most of.
  static func separator(of line: ArraySlice<UInt8>) -> UInt8 {
    let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]
    var counts = [0, 0, 0, 0]
    var isQuoted = false
    for byte in line {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      guard !isQuoted, let index = candidates.firstIndex(of: byte) else { continue }
      counts[index] += 1
    }
    let most = counts.max() ?? 0
    return most == 0 ? candidates[0] : candidates[counts.firstIndex(of: most) ?? 0]
  }
}

extension TableRow {
  func isEmpty(_ cell: Int) -> Bool { starts[cell] == ends[cell] && quoted[cell] == nil }

  func isBlank(_ bytes: [UInt8]) -> Bool {
    count <= 1
      && (count == 0 || quoted[0] == nil && bytes[starts[0]..<ends[0]].allSatisfy { $0 <= 0x20 })
  }

  func text(_ cell: Int, _ bytes: [UInt8]) -> String {
    quoted[cell] ?? String(decoding: bytes[starts[cell]..<ends[cell]], as: UTF8.self)
  }

  func texts(_ bytes: [UInt8]) -> [String] { (0..<count).map { text($0, bytes) } }

  func number(_ cell: Int, _ bytes: [UInt8], decimalComma: Bool) -> Double? {
    guard !quoted.isEmpty, let text = quoted[cell] else {
      return WrittenNumber.read(bytes, in: starts[cell]..<ends[cell], decimalComma: decimalComma)
    }
    let bytes = Array(text.utf8)
    return WrittenNumber.read(bytes, in: bytes.indices, decimalComma: decimalComma)
  }
}

/// The rows of a long table: `run,step,wall_time,metric,value`, as ``CSV/longHeader`` has it.
struct LongRows {
  struct Columns {
    let run: Int?
    let step: Int
    let wallTime: Int?
    let metric: Int
    let value: Int

    init?(_ names: [String]) {
      guard let metric = names.firstIndex(of: "metric"), let value = names.firstIndex(of: "value"),
        let step = names.firstIndex(of: "step")
      else { return nil }
      (self.metric, self.value, self.step) = (metric, value, step)
      run = names.firstIndex(of: "run")
      wallTime = names.firstIndex(of: "wall_time")
    }
  }

  private var run: String?

  init(run: String?) {
    self.run = run
  }

  mutating func take(
    _ row: TableRow, _ bytes: [UInt8], _ columns: Columns, into batch: inout RunBatch
  ) {
    if let column = columns.run {
      let name = row.text(column, bytes)
      if run == nil { run = name }
      guard name == run else { return }
    }
    guard let value = row.number(columns.value, bytes, decimalComma: false),
      let step = row.number(columns.step, bytes, decimalComma: false),
      let step = JSONValue.number(step).step
    else { return }
    let time = columns.wallTime.flatMap { row.number($0, bytes, decimalComma: false) }
    batch.add(batch.metric(row.text(columns.metric, bytes)), value)
    batch.endRow(step: step, wallTime: time, isWhole: false)
  }

  /// Whether some bytes begin with the header of a long table.
  static func isHeader(_ bytes: [UInt8]) -> Bool {
    var row = TableRow()
    guard row.read(bytes, from: 0, separator: nil, isLast: true) != nil else { return false }
    return Columns(row.texts(bytes)) != nil
  }

  /// The runs that a long table has, in the order in which they appear; none of another file.
  static func runs(in bytes: [UInt8]) -> [String] {
    var row = TableRow()
    guard var position = row.read(bytes, from: 0, separator: nil, isLast: true),
      let columns = Columns(row.texts(bytes)), let column = columns.run
    else { return [] }
    let (separator, width) = (row.separator, row.count)
    var (runs, seen): ([String], Set<String>) = ([], [])
    while let end = row.read(bytes, from: position, separator: separator, isLast: true) {
      position = end
      guard row.count == width else { continue }
      let name = row.text(column, bytes)
      if seen.insert(name).inserted { runs.append(name) }
    }
    return runs
  }
}
