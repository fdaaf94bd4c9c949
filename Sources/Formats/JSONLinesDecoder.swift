import Telemetry

/// Decodes lines of JSON, as any trainer may print them.
///
/// A line is `{"step":12,"metrics":{"loss":2.1}}` or flat; nested objects are joined by `/`; texts
/// that are numbers are numbers, others become notes where they change; one that is no JSON is a
/// line of the console. Lines of PROTOCOL.md on the run itself are read as they mean.
package struct JSONLinesDecoder: LogDecoder {
  private var cutter = LineCutter()
  private var lines: JSONLineReader

  /// Lines of numbers alone are read without making values of them, unless `direct` is false:
  /// slower, and the same.
  init(direct: Bool) {
    lines = JSONLineReader(direct: direct)
  }

  package init() {
    self.init(direct: true)
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    batch.restoresSinglePrecision = true
    cutter.take(bytes) { lines.take($0, in: $1, into: &batch) }
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    batch.restoresSinglePrecision = true
    cutter.finish { lines.take($0, in: $1, into: &batch) }
  }
}

/// Reads one line of JSON after another.
struct JSONLineReader {
  private let isDirect: Bool
  private var clock = RowClock()
  private var numbers = NumberLine()
  private var notes: [String: String] = [:]
  private var protocolLine = ProtocolLine()

  init(direct: Bool = true) {
    isDirect = direct
  }

  /// What one line tells.
  mutating func take(_ bytes: [UInt8], in range: Range<Int>, into batch: inout RunBatch) {
    let isRow = !ProtocolLine.numbersAlone.contains { bytes[range].starts(with: $0) }
    if isDirect, isRow, numbers.read(bytes, in: range) { return takeNumbers(into: &batch) }
    guard takeObject(bytes, in: range, into: &batch) else {
      var range = range
      if let last = range.last, bytes[last] == UInt8(ascii: "\r") { range.removeLast() }
      guard bytes[range].contains(where: { $0 > 0x20 }) else { return }
      return batch.console(String(decoding: bytes[range], as: UTF8.self))
    }
  }

  /// Takes what a line said in numbers; of a name that stands twice the first counts.
  private mutating func takeNumbers(into batch: inout RunBatch) {
    var cells: [RowClock.Cell] = []
    for leaf in numbers.leaves {
      let role = numbers.keys[leaf.key].role
      let metric = numbers.metric(of: leaf.key, in: &batch)
      if role != .other, !leaf.isFlag {
        cells.append(RowClock.Cell(metric: metric, role: role, value: leaf.value))
      } else if let metric {
        batch.add(metric, leaf.value)
      }
    }
    clock.endRow(cells, in: &batch)
  }

  /// Takes the object that the bytes are.
  ///
  /// - Returns: false where they are none.
  mutating func takeObject(
    _ bytes: [UInt8], in range: Range<Int>, into batch: inout RunBatch
  ) -> Bool {
    guard let value = try? JSONValue(bytes, in: range), let members = value.members else {
      return false
    }
    if let event = event(value, members) {
      batch.append(.event(event))
    } else if !protocolLine.take(members, into: &batch) {
      take(members, into: &batch)
    }
    return true
  }

  /// A row of what has names, from wherever it is read; rows where each has a list.
  mutating func take(_ members: [JSONValue.Member], into batch: inout RunBatch) {
    guard let columns = Self.columns(members) else { return takeRow(members, into: &batch) }
    for index in columns[0].values.indices {
      let row = columns.filter { index < $0.values.count }.map {
        JSONValue.Member(key: $0.key, value: $0.values[index])
      }
      takeRow(row, into: &batch)
    }
  }

  /// The lists of an object that holds nothing else that counts, as `history.json` does: the longest
  /// first.
  private static func columns(
    _ members: [JSONValue.Member]
  ) -> [(key: String, values: [JSONValue])]? {
    var columns: [(key: String, values: [JSONValue])] = []
    for member in members {
      switch member.value {
      case .list(let values) where !values.isEmpty && values.allSatisfy({ $0.number != nil }):
        columns.append((member.key, values))
      case .number, .object, .list, .flag: return nil
      case .text, .null: break
      }
    }
    guard let longest = columns.map(\.values.count).max(), longest > 1 else { return nil }
    return columns.filter { $0.values.count == longest }
      + columns.filter { $0.values.count < longest }
  }

  private mutating func takeRow(_ members: [JSONValue.Member], into batch: inout RunBatch) {
    var cells: [RowClock.Cell] = []
    var time: Double?
    var others = Others()
    for member in members {
      let role = LogKeys.role(of: member.key)
      let isHidden = LogKeys.isHidden(member.key)
      if role != .other, let number = Self.number(member.value, countsFlags: false) {
        let metric = isHidden ? nil : batch.metric(member.key)
        cells.append(RowClock.Cell(metric: metric, role: role, value: number))
      } else if case .time = role, let text = member.value.text,
        let written = clock.time(text, in: &batch)
      {
        time = written
      } else if !isHidden {
        eachNumber(of: member, into: &batch, &others)
      }
    }
    clock.endRow(cells, time: time, in: &batch)
    for (name, kind) in others.objects where notes.updateValue(kind, forKey: name) != kind {
      batch.console("\(name) is a \(kind): not shown", wallTime: time)
    }
    for (name, text) in others.texts where notes.updateValue(text, forKey: name) != text {
      batch.note("\(name): \(text)", step: clock.lastStep ?? 0, wallTime: time)
    }
  }

  /// Puts the numbers into the row and gathers what else a member says.
  private func eachNumber(
    of member: JSONValue.Member, into batch: inout RunBatch, _ others: inout Others
  ) {
    let path = member.key == "metrics" && member.value.members != nil ? "" : member.key
    var numbers: [(String, Double)] = []
    member.value.eachLeaf(path, separator: "/") { name, value in
      if let number = Self.number(value, countsFlags: true) {
        numbers.append((name, number))
      } else if let text = value.text {
        others.texts.append((name, text))
      } else if let kind = value["_type"] {
        others.objects.append((name, kind.text ?? "object"))
      }
    }
    for (name, number) in numbers { batch.add(batch.metric(name), number) }
  }

  /// What in a row is no number.
  private struct Others {
    var texts: [(name: String, text: String)] = []
    var objects: [(name: String, kind: String)] = []
  }

  /// The number that a value is, in a text too.
  private static func number(_ value: JSONValue, countsFlags: Bool) -> Double? {
    switch value {
    case .number(let number): number
    case .flag(let flag): countsFlags ? (flag ? 1 : 0) : nil
    case .text(let text): WrittenNumber.read(text)
    case .null, .list, .object: nil
    }
  }

  /// The event of a line that Seismo itself, or a trainer that follows it, wrote.
  private func event(_ value: JSONValue, _ members: [JSONValue.Member]) -> RunEvent? {
    guard let kind = value["event"]?.text.flatMap(RunEvent.Kind.init(rawValue:)) else { return nil }
    var step = (clock.lastStep ?? -1) + 1
    var wallTime = Double.nan
    for member in members {
      switch LogKeys.role(of: member.key) {
      case .step: step = member.value.step ?? step
      case .time(let isCertain):
        wallTime =
          member.value.number.flatMap { LogKeys.time($0, isCertain: isCertain) } ?? wallTime
      case .epoch, .total, .generation, .other: break
      }
    }
    var values: [String: Double] = [:]
    for member in value["values"]?.members ?? [] { values[member.key] = member.value.number }
    return RunEvent(
      step: step, wallTime: wallTime, kind: kind, by: value["by"]?.text ?? "log",
      name: value["name"]?.text, before: Self.setting(value["before"]),
      after: Self.setting(value["after"]), text: value["text"]?.text ?? "",
      hint: value["hint"]?.text, values: values)
  }

  private static func setting(_ value: JSONValue?) -> SettingValue? {
    switch value {
    case .number(let number): .number(number)
    case .flag(let flag): .flag(flag)
    case .text(let words): SettingValue(words: words) ?? .word(words)
    case .null, .list, .object, nil: nil
    }
  }
}

extension JSONLineReader {
  /// What comes stands at a step that was told elsewhere.
  mutating func clockTold(step: Int) { clock.told(step: step) }
}
