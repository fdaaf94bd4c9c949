import Foundation
package import Telemetry

/// Reads a run from lines of JSON, one at a time, as any trainer may print them.
///
/// A line is `{"step":12,"metrics":{"loss":2.1}}` or flat; nested objects are joined by `/`; texts
/// become notes; a line without a step counts on; one that is no JSON is a line of the console.
package struct JSONLinesReader {
  private var nextStep = 0

  package init() {}

  /// What one line tells, `wallTime` where it names no time itself.
  package mutating func records(of line: some Sequence<UInt8>, wallTime: Double) -> [RunRecord] {
    var bytes = Array(line)
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard bytes.contains(where: { $0 > 0x20 }) else { return [] }
    guard let value = try? JSONValue(bytes), let members = value.members else {
      return [.console(wallTime: wallTime, line: String(decoding: bytes, as: UTF8.self))]
    }
    let stepMember = members.first { LogKeys.steps.contains($0.key) && $0.value.step != nil }
    let step = stepMember?.value.step ?? nextStep
    let timeMember = members.first { member in
      guard case .number(let time) = member.value else { return false }
      return LogKeys.times.contains(member.key) && time.isFinite
    }
    let time = timeMember?.value.number ?? wallTime
    if let event = Self.event(value, step: step, wallTime: time) { return [.event(event)] }
    nextStep = step + 1
    let used = [stepMember?.key, timeMember?.key]
    return Self.records(members.filter { !used.contains($0.key) }, step: step, wallTime: time)
  }

  private static func records(
    _ members: [JSONValue.Member], step: Int, wallTime: Double
  ) -> [RunRecord] {
    var samples = StepSamples(step: step, wallTime: wallTime, names: [], values: [])
    var notes: [RunRecord] = []
    var seen: Set<String> = []
    for member in members where !LogKeys.isHidden(member.key) {
      let path = member.key == "metrics" && member.value.members != nil ? "" : member.key
      member.value.eachLeaf(path, separator: "/") { name, value in
        if let number = value.number, seen.insert(name).inserted {
          samples.names.append(MetricName(name))
          samples.values.append(number)
        } else if let text = value.text {
          notes.append(.event(note("\(name): \(text)", step: step, wallTime: wallTime)))
        }
      }
    }
    return (samples.names.isEmpty ? [] : [.samples(samples)]) + notes
  }

  private static func note(_ text: String, step: Int, wallTime: Double) -> RunEvent {
    RunEvent(step: step, wallTime: wallTime, kind: .note, by: "log", text: text)
  }

  /// The event of a line that Seismo itself, or a trainer that follows it, wrote.
  private static func event(_ value: JSONValue, step: Int, wallTime: Double) -> RunEvent? {
    guard let kind = value["event"]?.text.flatMap(RunEvent.Kind.init(rawValue:)) else { return nil }
    var values: [String: Double] = [:]
    for member in value["values"]?.members ?? [] { values[member.key] = member.value.number }
    return RunEvent(
      step: step, wallTime: wallTime, kind: kind, by: value["by"]?.text ?? "log",
      name: value["name"]?.text, before: setting(value["before"]), after: setting(value["after"]),
      text: value["text"]?.text ?? "", hint: value["hint"]?.text, values: values)
  }

  private static func setting(_ value: JSONValue?) -> SettingValue? {
    switch value {
    case .number(let number): .number(number)
    case .flag(let flag): .flag(flag)
    case .text(let words): SettingValue(words: words)
    case .null, .list, .object, nil: nil
    }
  }
}

extension JSONLinesReader {
  /// The run that a whole file tells. Lines of numbers alone are read without making values of
  /// them, unless `direct` is false: slower, and the same.
  static func run(_ bytes: [UInt8], direct: Bool = true) -> RecordedRun {
    var reader = JSONLinesReader()
    var assembly = RunAssembly()
    var numbers = NumberLine()
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      if direct, numbers.read(bytes, in: start..<end) {
        reader.take(&numbers, into: &assembly)
      } else {
        for record in reader.records(of: bytes[start..<end], wallTime: .nan) {
          assembly.take(record)
        }
      }
      start = end + 1
    }
    return assembly.finished().restoringSinglePrecision()
  }

  /// Takes what a line said in numbers, as ``records(of:wallTime:)`` takes it; of a name that
  /// stands twice the first number counts.
  private mutating func take(_ line: inout NumberLine, into assembly: inout RunAssembly) {
    var (step, stepKey): (Int?, Int?)
    var (time, timeKey): (Double?, Int?)
    for leaf in line.leaves where !leaf.isFlag {
      switch line.keys[leaf.key].role {
      case .step where step == nil:
        step = JSONValue.number(leaf.value).step
        if step != nil { stepKey = leaf.key }
      case .time where time == nil && leaf.value.isFinite: (time, timeKey) = (leaf.value, leaf.key)
      case .step, .time, .other: break
      }
    }
    nextStep = (step ?? nextStep) + 1
    for leaf in line.leaves where leaf.key != stepKey && leaf.key != timeKey {
      guard let metric = line.metric(of: leaf.key, in: &assembly) else { continue }
      assembly.add(metric, step: nextStep - 1, wallTime: time, value: leaf.value)
    }
  }
}

extension RunAssembly {
  /// Takes samples number by number, the rest as it is; a time that is not known is left out.
  mutating func take(_ record: RunRecord) {
    guard case .samples(let samples) = record else {
      if case .console(let wallTime, let line) = record, wallTime.isNaN {
        return add(.console(wallTime: 0, line: line))
      }
      if case .event(var event) = record, event.wallTime.isNaN {
        event.wallTime = 0
        return add(.event(event))
      }
      return add(record)
    }
    let wallTime = samples.wallTime.isNaN ? nil : samples.wallTime
    for (name, value) in zip(samples.names, samples.values) {
      add(name.path, step: samples.step, wallTime: wallTime, value: value)
    }
  }
}
