import Telemetry

/// Reads the lines of PROTOCOL.md that tell of the run itself and not of a step.
struct ProtocolLine {
  /// So begin the lines of them that hold numbers alone.
  static let numbersAlone = [Array(#"{"alive":"#.utf8), Array(#"{"generation":"#.utf8)]

  private var settings: [SettingDeclaration] = []

  /// Takes the object with these members, unless it is of another kind.
  ///
  /// - Returns: whether it was taken.
  mutating func take(_ members: [JSONValue.Member], into batch: inout RunBatch) -> Bool {
    guard let first = members.first else { return false }
    switch (first.key, first.value) {
    case ("run", .object) where first.value["protocol"]?.number != nil:
      Self.describe(first.value, in: &batch)
    case ("settings", .list(let declarations)):
      take(declarations, into: &batch)
      Self.takeCommands(members, into: &batch)
    case ("state", .text(let word)):
      guard let state = Self.state(word, members) else { return false }
      batch.state = state
    case ("console", .text(let line)):
      batch.console(line)
    case ("generation", .number) where members.count == 1:
      if let step = first.value.step { batch.restart(at: step) }
    case ("alive", .number) where members.count == 1:
      break
    case ("relay", .object) where first.value["protocol"]?.number != nil:
      break
    case ("answer", .text(let verdict)) where ["applied", "refused"].contains(verdict):
      if batch.answers.count < RunBatch.mostAnswers, let answer = RunBatch.Answer(.object(members))
      {
        batch.answers.append(answer)
      }
    default:
      return false
    }
    return true
  }

  private static func state(_ word: String, _ members: [JSONValue.Member]) -> RunState? {
    let known = members.allSatisfy { ["state", "time", "reason"].contains($0.key) }
    guard known else { return nil }
    let reason = members.first { $0.key == "reason" }?.value.text
    switch word {
    case "starting": return .starting
    case "running": return .running
    case "paused": return .paused
    case "finished": return .finished
    case "stopped": return .stopped
    case "diverged": return .diverged
    case "failed": return .failed(reason: reason ?? "it did not say why")
    default: return nil
    }
  }
}

extension ProtocolLine {
  /// Members that are told otherwise, or are nobody's business.
  private static let untold: Set<String> = [
    "protocol", "name", "config", "started", "total_steps", "control",
  ]

  /// Adds what a run line says to what is known; the session keeps its own name.
  private static func describe(_ run: JSONValue, in batch: inout RunBatch) {
    var description = batch.description
    if description.name.isEmpty { description.name = run["name"]?.text ?? "" }
    if description.created == 0 { description.created = run["started"]?.number ?? 0 }
    if let total = run["total_steps"]?.step, total > 0 { description.totalSteps = total }
    if let engine = run[EngineWords.key] { EngineWords.read(engine, into: &description) }
    run["config"]?.eachLeaf(separator: "/") { name, value in
      if let text = words(value) { description.options[name] = text }
    }
    for member in run["axes"]?.members ?? [] {
      if let axis = member.value.text { description.environment[.axis(of: member.key)] = axis }
    }
    for member in run.members ?? [] where !untold.contains(member.key) {
      let text = member.key == "command" ? commandLine(member.value) : words(member.value)
      if let text { description.environment[member.key] = text }
    }
    batch.trainer = TrainerAddress(run)
    if description.environment[.source] == nil, description.model == nil {
      description.environment[.source] = run["client"]?.text ?? "a trainer's lines"
    }
    batch.description = description
  }

  /// A program and its arguments as a shell takes them.
  private static func commandLine(_ value: JSONValue) -> String? {
    guard case .list(let parts) = value else { return words(value) }
    return parts.compactMap(words).map { ShellWord.quoted($0) }.joined(separator: " ")
  }

  /// A value as a person would type it; nil for none.
  private static func words(_ value: JSONValue) -> String? {
    switch value {
    case .null, .object: nil
    case .flag(let flag): flag ? "true" : "false"
    case .number(let number): SettingValue.number(number).description
    case .text(let text): text
    case .list(let values): values.compactMap(words).joined(separator: ",")
    }
  }
}

extension ProtocolLine {
  /// The words that the program obeys, all of them each time.
  private static func takeCommands(_ members: [JSONValue.Member], into batch: inout RunBatch) {
    guard case .list(let commands)? = members.first(where: { $0.key == "commands" })?.value else {
      return
    }
    let words = commands.compactMap(\.text).filter { !$0.isEmpty && !$0.contains(" ") }
    batch.description.environment[.commands] = words.joined(separator: " ")
  }

  /// All settings each time; those of a kind that has no place in a menu are left out.
  private mutating func take(_ declarations: [JSONValue], into batch: inout RunBatch) {
    let declared = declarations.compactMap(Self.declaration)
    guard declared != settings else { return }
    settings = declared
    batch.append(.settings(declared))
  }

  private static func declaration(_ value: JSONValue) -> SettingDeclaration? {
    guard let name = value["name"]?.text, !name.isEmpty else { return nil }
    let purpose = value["help"]?.text ?? SettingCatalog.entry(name)?.purpose ?? ""
    let refusal = value["refusal"]?.text
    switch (value["kind"]?.text, value["value"]) {
    case ("flag", .flag(let flag)):
      return SettingDeclaration(
        name: name, kind: .flag, value: .flag(flag), purpose: purpose, refusal: refusal)
    case ("number", .number(let number)):
      let lowest = value["min"]?.number ?? -Double.greatestFiniteMagnitude
      let highest = value["max"]?.number ?? Double.greatestFiniteMagnitude
      guard lowest <= highest else { return nil }
      return SettingDeclaration(
        name: name, kind: .number(lowest: lowest, highest: highest), value: .number(number),
        purpose: purpose, refusal: refusal)
    case ("choice", .text(let word)):
      guard case .list(let choices)? = value["choices"] else { return nil }
      return SettingDeclaration(
        name: name, kind: .choice(choices.compactMap(\.text)), value: .word(word),
        purpose: purpose, refusal: refusal)
    default:
      return nil
    }
  }
}

extension RunBatch.Answer {
  /// Nil for an object that is no answer.
  package init?(_ value: JSONValue) {
    guard let verdict = value["answer"]?.text, ["applied", "refused"].contains(verdict) else {
      return nil
    }
    let text = (value["text"] ?? value["reason"])?.text ?? verdict
    answer = CommandAnswer(
      isApplied: verdict == "applied", step: value["step"]?.step, text: text)
    id = value["id"]?.step
  }
}
