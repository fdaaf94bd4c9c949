import Screen
import Signals
import Telemetry

extension DashboardState {
  /// Why no command can be given now; nil where one can.
  package var commandRefusal: String? {
    if let refusal = source.refusal { return refusal }
    guard history.state.isOver else { return nil }
    return canGoBack
      ? "the run has diverged: r goes back" : "the run is over (\(history.state.word))"
  }

  /// Whether a run that diverged waits for a command that takes it back to a checkpoint.
  package var canGoBack: Bool {
    source.obeys && !isReplay && history.state == .diverged && !history.checkpoints.isEmpty
  }

  /// Why this command can't be given now, as far as it is known here; nil where it can, or where the
  /// run has to say.
  func refusal(of command: Command) -> String? {
    if case .rewind = command, canGoBack { return nil }
    let words = command.words
    if let refusal = refusal(ofWord: String(words.prefix { $0 != " " })) { return refusal }
    guard case .set(let name, _) = command else { return nil }
    if let declared = declaration(name) { return declared.refusal }
    if isForeign { return undeclared(name) }
    return history.settings.isEmpty ? nil : "this run has no such setting"
  }

  /// Why no command that begins with this word can be given now; nil where one can.
  func refusal(ofWord word: String) -> String? {
    if let commandRefusal { return commandRefusal }
    guard let obeyed = history.description?.obeyedCommands, !obeyed.contains(word) else {
      return nil
    }
    return "this script declares no \(word)"
  }

  /// Whether another program makes the run, which declares itself what may be changed.
  var isForeign: Bool { history.description?.obeyedCommands != nil }

  func undeclared(_ setting: String) -> String { "this trainer declares no \(setting)" }

  /// The command that words are, in this run.
  func command(_ words: String) throws(CommandError) -> Command {
    guard let obeyed = history.description?.obeyedCommands else { return try Command(words: words) }
    return try Command(words: words, declared: history.settings, obeyed: obeyed)
  }

  /// What the menu lists: what is declared, and what another program might have declared and has not,
  /// with the reason.
  var listedSettings: [SettingDeclaration] {
    let isOthers = isForeign || source.kind == .watch && history.description?.isForeign == true
    guard isOthers else { return history.settings }
    let known = Set(history.settings.map(\.name))
    return history.settings
      + SettingCatalog.entries.filter { !known.contains($0.name) }.map { entry in
        SettingDeclaration(
          name: entry.name, kind: entry.kind, value: entry.start, purpose: entry.purpose,
          refusal: source.refusal ?? undeclared(entry.name))
      }
  }
}
