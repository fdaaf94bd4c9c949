package import Telemetry

/// A run's records as lines of PROTOCOL.md, each without its end.
package enum ProtocolText {
  /// The lines that a record is worth; none for one that a line cannot tell.
  ///
  /// Columns are not among them: what was measured at one step is one line, which ``lines(of:)`` sees
  /// to.
  package static func line(_ record: RunRecord) -> String? {
    switch record {
    case .description(let description): line(description)
    case .settings(let settings): line(settings)
    case .samples(let samples): timed(JSONLines.line(samples), samples.wallTime)
    case .event(let event): timed(JSONLines.line(event), event.wallTime)
    case .state(let state): line(state)
    case .console(let wallTime, let line): console(line, wallTime)
    case .damage(let damage, let wallTime): console(damage.line, wallTime)
    case .generation(let step): "{\"generation\":\(step)}"
    case .column: nil
    }
  }

  private static func console(_ line: String, _ wallTime: Double) -> String {
    timed("{\"console\":\(JSONLines.quoted(line))}", wallTime)
  }

  /// The lines of records among which whole columns may be: a step's numbers in one line.
  package static func lines(of records: [RunRecord]) -> [String] {
    let hasColumns = records.contains { if case .column = $0 { true } else { false } }
    guard hasColumns else { return records.compactMap { line($0) } }
    let run = RecordedRun(records: records)
    var lines: [String] = []
    if let description = run.description { lines.append(line(description)) }
    if !run.settings.isEmpty { lines.append(line(run.settings)) }
    for (number, generation) in run.generations.enumerated() {
      if number > 0 { lines.append("{\"generation\":\(generation.startingStep)}") }
      lines += generation.samples.compactMap { line(.samples($0)) }
      lines += generation.happenings.compactMap { line($0) }
    }
    if let state = run.state { lines.append(line(state)) }
    return lines
  }

  /// With the time behind the line's first member, where one is known.
  private static func timed(_ line: String, _ wallTime: Double) -> String {
    guard wallTime.isFinite, wallTime > 0 else { return line }
    return line.dropLast() + ",\"time\":\(wallTime)}"
  }

  private static func line(_ description: RunDescription) -> String {
    var members = ["\"protocol\":1", "\"name\":\(JSONLines.quoted(description.name))"]
    if description.created > 0 { members.append("\"started\":\(description.created)") }
    if let total = description.totalSteps { members.append("\"total_steps\":\(total)") }
    if let engine = EngineWords.object(description) {
      members.append("\"\(EngineWords.key)\":\(engine)")
    }
    members.append("\"config\":\(object(description.options))")
    // What means something in a line on the run is not another's word to say.
    let own: Set<String> = [
      "protocol", "name", "started", "total_steps", "config", "control", "pid",
    ]
    var axes: [String: String] = [:]
    for (name, words) in description.environment.sorted(by: { $0.key < $1.key })
    where !own.contains(name) {
      if let pattern = EnvironmentKey.axisPattern(in: name) {
        axes[pattern] = words
      } else {
        members.append("\(JSONLines.quoted(name)):\(JSONLines.quoted(words))")
      }
    }
    if !axes.isEmpty { members.append("\"axes\":\(object(axes))") }
    return "{\"run\":{\(members.joined(separator: ","))}}"
  }

  private static func object(_ words: [String: String]) -> String {
    let members = words.sorted { $0.key < $1.key }
      .map { "\(JSONLines.quoted($0.key)):\(JSONLines.quoted($0.value))" }
    return "{\(members.joined(separator: ","))}"
  }

  private static func line(_ state: RunState) -> String {
    guard case .failed(let reason) = state else { return "{\"state\":\"\(state.word)\"}" }
    return "{\"state\":\"failed\",\"reason\":\(JSONLines.quoted(reason))}"
  }

  private static func line(_ settings: [SettingDeclaration]) -> String {
    "{\"settings\":[\(settings.map(declaration).joined(separator: ","))]}"
  }

  private static func declaration(_ setting: SettingDeclaration) -> String {
    var members = ["\"name\":\(JSONLines.quoted(setting.name))"]
    switch setting.kind {
    case .flag: members.append("\"kind\":\"flag\"")
    case .number(let lowest, let highest):
      members.append("\"kind\":\"number\"")
      if lowest > -Double.greatestFiniteMagnitude { members.append("\"min\":\(lowest)") }
      if highest < Double.greatestFiniteMagnitude { members.append("\"max\":\(highest)") }
    case .choice(let words):
      let choices = words.map { JSONLines.quoted($0) }.joined(separator: ",")
      members.append("\"kind\":\"choice\",\"choices\":[\(choices)]")
    }
    let value =
      switch setting.value {
      case .flag(let flag): flag ? "true" : "false"
      case .number(let number): JSONLines.number(number)
      case .word(let word): JSONLines.quoted(word)
      }
    members.append("\"value\":\(value)")
    if !setting.purpose.isEmpty { members.append("\"help\":\(JSONLines.quoted(setting.purpose))") }
    if let refusal = setting.refusal {
      members.append("\"refusal\":\(JSONLines.quoted(refusal))")
    }
    return "{\(members.joined(separator: ","))}"
  }
}
