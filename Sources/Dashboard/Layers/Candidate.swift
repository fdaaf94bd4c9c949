import Screen
import Signals
import Telemetry

/// One line that the palette offers.
struct Candidate: Sendable {
  enum Kind: Sendable {
    case action(name: String)
    case command(Command)
    case picture(PictureRequest)
    /// Look for runs at this path.
    case place(String)
    case deeds([Deed])
    /// Words that still lack something.
    case incomplete
  }

  let kind: Kind
  /// What `tab` makes of the line.
  let completion: String
  let line: CommandLine
  /// Whether it is what was typed, whole, so that enter runs it without a choice.
  var isTyped = false

  /// Whether taking it changes a setting.
  var isChange: Bool {
    if case .command(.set) = kind { true } else { false }
  }

  /// All that fits what was typed, the best first.
  static func all(for typed: String, in state: DashboardState) -> [Candidate] {
    let meant =
      pictures(typed: typed, in: state) + places(typed: typed)
      + WordCommands.candidates(for: typed, in: state)
    let typed = typed.lowercased().drop { $0 == " " }
    let everything =
      actions(in: state) + words(in: state) + settings(in: state) + WordCommands.usages(in: state)
    guard !typed.isEmpty else { return everything }
    let ranked = everything.compactMap { candidate -> (rank: Int, candidate: Candidate)? in
      guard let rank = candidate.rank(typed: typed) else { return nil }
      var candidate = candidate
      candidate.isTyped = rank == 0
      return (rank, candidate)
    }
    let values = values(typed: String(typed), in: state)
    return meant + values
      + (0...3).flatMap { rank in ranked.filter { $0.rank == rank }.map(\.candidate) }
  }

  /// A name that is meant without doubt comes first.
  private func rank(typed: Substring) -> Int? {
    let name = completion.lowercased()
    let whole = typed.split(separator: " ").joined(separator: " ")
    if name == whole || CommandTable.aliases[name]?.contains(whole) == true { return 0 }
    if name.hasPrefix(typed) { return 1 }
    if name.contains(typed) { return 2 }
    let words = typed.split(separator: " ")
    let aliases = CommandTable.aliases[name]?.joined(separator: " ") ?? ""
    let haystack = [name, line.sentence.lowercased(), aliases].joined(separator: " ")
    return words.allSatisfy { haystack.contains($0) } ? 3 : nil
  }

  private static func actions(in state: DashboardState) -> [Candidate] {
    CommandTable.applicable(to: state).map { command in
      Candidate(
        kind: .action(name: command.name), completion: command.name,
        line: CommandLine(command, state))
    }
  }

  /// The run's own words that no key stands for.
  private static func words(in state: DashboardState) -> [Candidate] {
    let covered = Set(CommandTable.applicable(to: state).map(\.name))
    return ownWords(in: state)
      + Command.vocabulary.filter { !covered.contains($0.name) && $0.name != "set" }.map {
        word in
        let command = try? Command(words: word.name)
        return Candidate(
          kind: command.map { .command($0) } ?? .incomplete, completion: word.name,
          line: CommandLine(
            keys: "", name: word.usage, sentence: word.sentence,
            refusal: state.refusal(ofWord: word.name)))
      }
  }

  /// What another program obeys beside the words that all know.
  private static func ownWords(in state: DashboardState) -> [Candidate] {
    let known = Set(Command.vocabulary.map(\.name))
    let own = (state.history.description?.obeyedCommands ?? []).subtracting(known)
    return own.sorted().map { word in
      Candidate(
        kind: .command(.other(word)), completion: word,
        line: CommandLine(
          keys: "", name: word, sentence: "an action of this program's own",
          refusal: state.commandRefusal))
    }
  }

  /// Every live setting with its present value: a flag the other way round, a number to be typed.
  private static func settings(in state: DashboardState) -> [Candidate] {
    state.history.settings.map { setting in
      let value = state.setting(setting.name) ?? setting.value
      let refusal = setting.refusal ?? state.commandRefusal
      let sentence = refusal.map { "not now: \($0)" } ?? "now \(value) · \(setting.purpose)"
      switch setting.kind {
      case .flag:
        let other = SettingValue.flag(!value.isOn)
        let words = "set \(setting.name) \(other)"
        return Candidate(
          kind: .command(.set(name: setting.name, value: other)), completion: words,
          line: CommandLine(keys: "", name: words, sentence: sentence, refusal: refusal))
      case .number, .choice:
        let words = "set \(setting.name) "
        return Candidate(
          kind: .incomplete, completion: words,
          line: CommandLine(keys: "", name: words + "…", sentence: sentence, refusal: refusal))
      }
    }
  }

  /// What may stand after the words that are there: a setting's values, the checkpoints to go back
  /// to. A setting's name alone, with a value after it, sets it.
  private static func values(typed: String, in state: DashboardState) -> [Candidate] {
    let isAtEnd = typed.hasSuffix(" ")
    var words = typed.split(separator: " ").map(String.init)
    if words.first == "rewind" { return words.count > 1 || isAtEnd ? rewinds(typed, state) : [] }
    if words.first == "set" { words.removeFirst() }
    guard let name = words.first, let setting = state.declaration(name),
      words.count > 1 || isAtEnd
    else { return [] }
    let refusal = setting.refusal ?? state.commandRefusal
    guard words.count <= 2 else { return [] }
    let word = words.dropFirst().first
    return suggestions(for: setting, typed: word, state).map { value, why in
      let command = Command.set(name: name, value: value)
      return Candidate(
        kind: .command(command), completion: command.words,
        line: CommandLine(
          keys: "", name: command.words, sentence: refusal.map { "not now: \($0)" } ?? why,
          refusal: refusal),
        isTyped: word.flatMap { setting.value(words: $0) } == value)
    }
  }

  private static func suggestions(
    for setting: SettingDeclaration, typed: String?, _ state: DashboardState
  ) -> [(value: SettingValue, why: String)] {
    let present = state.setting(setting.name) ?? setting.value
    var values: [(SettingValue, String)] = []
    if let typed, let value = setting.value(words: typed) { values.append((value, "as typed")) }
    if case .flag = setting.kind {
      values.append((.flag(!present.isOn), "now \(present)"))
    } else if case .choice(let choices) = setting.kind {
      values += choices.map { (.word($0), .word($0) == present ? "as it is" : "now \(present)") }
    } else {
      if let usual = SettingCatalog.entry(setting.name)?.usual { values.append((usual, "usual")) }
      if setting.value(words: "0") != nil, present.isOn { values.append((.number(0), "off")) }
      values.append((present, "as it is"))
    }
    var seen: Set<SettingValue> = []
    return values.filter { value, _ in
      (typed.map { "\(value)".hasPrefix($0) || setting.value(words: $0) == value } ?? true)
        && seen.insert(value).inserted
    }
  }

  /// The screen written as a file, once the words name one or a size.
  private static func pictures(typed: String, in state: DashboardState) -> [Candidate] {
    func candidate(_ kind: Kind, _ name: String, _ sentence: String) -> [Candidate] {
      let line = CommandLine(keys: "", name: name, sentence: sentence, refusal: nil)
      let isWhole = if case .picture = kind { true } else { false }
      return [Candidate(kind: kind, completion: typed, line: line, isTyped: isWhole)]
    }
    do throws(PictureRequest.Flaw) {
      guard let request = try PictureRequest(words: typed) else { return [] }
      return candidate(.picture(request), typed, request.sentence(state))
    } catch {
      return candidate(.incomplete, PictureRequest.usage, "the file, the size, or both")
    }
  }

  /// Where to look for runs, once the words name it.
  private static func places(typed: String) -> [Candidate] {
    let words = typed.drop { $0 == " " }
    guard words.lowercased().hasPrefix("open ") else { return [] }
    let path = words.dropFirst(5).trimmingPrefix { $0 == " " }
    guard !path.isEmpty else { return [] }
    let line = CommandLine(
      keys: "", name: String(words), sentence: "the runs there, and those listed already",
      refusal: nil)
    return [
      Candidate(
        kind: .place(String(path)), completion: String(words), line: line, isTyped: true)
    ]
  }

  private static func rewinds(_ typed: String, _ state: DashboardState) -> [Candidate] {
    let newest = state.history.checkpoints.reversed().prefix(20)
    let named = newest.map { (name: $0.name ?? "\($0.step)", step: $0.step) }
    let last = named.first.map { [(name: "last", step: $0.step)] } ?? []
    let good = state.history.goodCheckpoint.map { [(name: "good", step: $0.step)] } ?? []
    return (good + last + named).compactMap { name, step in
      guard "rewind \(name)".hasPrefix(typed) else { return nil }
      let command = Command.rewind(checkpoint: name, skip: 0)
      let refusal = state.commandRefusal
      let loss = state.history[MetricCatalog.loss]?.value(atOrBefore: step)
      let words =
        "to step \(NumberText.grouped(step))"
        + (loss.map { ", loss \(NumberText.compact($0, digits: 4))" } ?? "")
      return Candidate(
        kind: .command(command), completion: "rewind \(name)",
        line: CommandLine(
          keys: "", name: "rewind \(name)",
          sentence: refusal.map { "not now: \($0)" } ?? words,
          refusal: refusal),
        isTyped: typed == "rewind \(name)")
    }
  }
}
