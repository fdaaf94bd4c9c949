import Synchronization
package import Telemetry

/// A run as lines of JSON: one object a step, one an event.
///
/// Numbers have the shortest digits that give back the float the metric was computed as; NaN and
/// infinities stand bare, as Python's `json` reads them.
package enum JSONLines {
  /// What stands before a value, and the precision of its digits; made once a metric.
  private struct Field {
    let key: String
    let isSingle: Bool

    init(_ name: MetricName) {
      key = JSONLines.quoted(name.path) + ":"
      isSingle = JSONLines.isSingle(name)
    }
  }

  private static let fields = Mutex<[MetricName: Field]>([:])

  /// The line that `record` is worth, without its end; nil for a record of another kind.
  package static func line(_ record: RunRecord) -> String? {
    switch record {
    case .samples(let samples): line(samples)
    case .event(let event): line(event)
    case .description, .settings, .column, .state, .console, .damage, .generation: nil
    }
  }

  /// `generation`: the number of an older generation that the samples are of.
  package static func line(_ samples: StepSamples, generation: Int? = nil) -> String {
    var line = "{\"step\":\(samples.step),"
    if let generation { line += "\"generation\":\(generation)," }
    line += "\"metrics\":{"
    fields.withLock { fields in
      for (index, name) in samples.names.enumerated() {
        let field = fields[name] ?? Field(name)
        fields[name] = field
        if index > 0 { line += "," }
        line += field.key
        line += number(samples.values[index], isSingle: field.isSingle)
      }
    }
    return line + "}}"
  }

  package static func line(_ event: RunEvent) -> String {
    var members = ["\"step\":\(event.step)", "\"event\":\(quoted(event.kind.rawValue))"]
    if let name = event.name { members.append("\"name\":\(quoted(name))") }
    if let before = event.before { members.append("\"before\":\(setting(before))") }
    if let after = event.after { members.append("\"after\":\(setting(after))") }
    members.append("\"by\":\(quoted(event.by))")
    if !event.text.isEmpty { members.append("\"text\":\(quoted(event.text))") }
    if let hint = event.hint { members.append("\"hint\":\(quoted(hint))") }
    if !event.values.isEmpty {
      let values = event.values.sorted { $0.key < $1.key }
        .map { "\(quoted($0.key)):\(number($0.value, isSingle: false))" }
      members.append("\"values\":{\(values.joined(separator: ","))}")
    }
    return "{\(members.joined(separator: ","))}"
  }

  private static func setting(_ value: SettingValue) -> String {
    switch value {
    case .flag, .word: quoted(value.description)
    case .number(let number): number.isFinite ? value.description : self.number(number)
    }
  }

  /// Whether the digits of a metric are those of a Float32.
  package static func isSingle(_ name: MetricName) -> Bool {
    MetricCatalog.family(of: name)?.precision == .float32
  }

  /// The shortest digits that give `value` back, as a Float32 where it is one; NaN and infinities
  /// bare.
  package static func number(_ value: Double, isSingle: Bool = false) -> String {
    guard value.isFinite else {
      return value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity"
    }
    guard isSingle, Double(Float(value)) == value else { return value.description }
    return Float(value).description
  }

  /// An object of values that are JSON already.
  package static func object(_ members: [(key: String, value: String)]) -> String {
    "{" + members.map { "\(quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
  }

  package static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{0}"..<" ": quoted += escaped(scalar)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
