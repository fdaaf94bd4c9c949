import Screen
import Signals
import Telemetry

/// What a person can do to a run.
enum RunCommands {
  private static let isNoReplay: @Sendable (DashboardState) -> Bool = { !$0.isReplay }

  /// Why a command that begins with this word can't be given now.
  private static func refusal(
    _ word: String
  ) -> @Sendable (DashboardState) -> String? {
    { $0.refusal(ofWord: word) }
  }

  private static let rateRefusal: @Sendable (DashboardState) -> String? = { state in
    let name = SettingCatalog.learningRateMultiplier
    if let refusal = state.refusal(ofWord: "set") { return refusal }
    return state.isForeign && state.declaration(name) == nil ? state.undeclared(name) : nil
  }

  static let table: [DashboardCommand] = [
    DashboardCommand(
      "pause", keys: [.character(" ")], group: .run, bar: .init("pause", rank: 1),
      "Hold the run after the present step, or let it go on.", applies: isNoReplay,
      refusal: { $0.refusal(ofWord: $0.isPaused ? "resume" : "pause") }
    ) { state in
      let isPaused = state.isPaused
      state.requests.isPaused = !isPaused
      return state.ask(isPaused ? .resume : .pause)
    },
    DashboardCommand(
      "step", keys: [.character(".")], group: .run, bar: .init("step", rank: 5),
      "Do one step, then hold.", applies: isNoReplay, refusal: refusal("step")
    ) { $0.ask(.step(1)) },
    DashboardCommand(
      "checkpoint", keys: [.character("c")], group: .run, bar: .init("checkpoint", rank: 4),
      "Write a checkpoint now.", applies: isNoReplay, refusal: refusal("checkpoint")
    ) { $0.ask(.checkpoint) },
    DashboardCommand(
      "mitigations", keys: [.character("m")], group: .run, bar: .init("mitigations", rank: 2),
      "Change a setting of the running model: each with its value and what it is for."
    ) { state in
      state.layers.append(MitigationsMenu(state))
      return []
    },
    DashboardCommand(
      "halve rate", keys: [.character("{")], group: .run,
      bar: .init("rate", rank: 8, keys: "{ }", second: "double rate"),
      "Halve the learning rate.", applies: isNoReplay,
      refusal: rateRefusal
    ) { $0.scaleRate(by: 0.5) },
    DashboardCommand(
      "double rate", keys: [.character("}")], group: .run, "Double the learning rate.",
      applies: isNoReplay, refusal: rateRefusal
    ) { $0.scaleRate(by: 2) },
    DashboardCommand(
      "undo", keys: [.character("u")], group: .run, bar: .init("undo", rank: 7),
      "Take the last change of a setting back.", applies: isNoReplay,
      refusal: { state in
        if let refusal = state.refusal(ofWord: "undo") { return refusal }
        let hasChange =
          state.requests.hasChanges || state.history.events.contains { $0.kind == .set }
        return hasChange ? nil : "no setting has been changed yet"
      }
    ) { $0.ask(.undo) },
    DashboardCommand(
      "rewind", keys: [.character("r")], group: .run, bar: .init("rewind", rank: 1),
      "Choose a checkpoint to go back to, and how many batches to leave out.", applies: isNoReplay,
      refusal: { state in
        if let refusal = state.refusal(of: .rewind(checkpoint: "last", skip: 0)) { return refusal }
        return state.history.checkpoints.isEmpty ? "no checkpoint yet: c writes one" : nil
      }
    ) { state in
      state.layers.append(RewindPicker(in: state))
      return []
    },
    DashboardCommand(
      "branch", keys: [.character("b")], group: .run,
      "Go on in a session of another name; this one stays as it is.", applies: isNoReplay,
      refusal: refusal("branch")
    ) { state in
      state.layers.append(Prompt(.branch))
      return []
    },
    DashboardCommand(
      "note", keys: [.character("N")], group: .run, "Write a note beside the present step.",
      applies: isNoReplay, refusal: refusal("note")
    ) { state in
      state.layers.append(Prompt(.note(step: state.playhead)))
      return []
    },
    DashboardCommand(
      "evaluate", keys: [], group: .run, "Measure the held-out loss now.", applies: isNoReplay,
      refusal: refusal("evaluate")
    ) { $0.ask(.evaluate) },
  ]
}

extension DashboardState {
  /// Gives a command on the person's behalf and says so; the run answers with an event.
  mutating func ask(_ command: Command) -> [Effect] {
    if let refusal = refusal(of: command) {
      say(refusal, .warning)
      return [.bell]
    }
    var words = command.words
    if case .set(let name, let value) = command {
      if let change = SettingChange(name, to: value, in: self) { words = "\(name) \(change.words)" }
      requests.ask(name, value)
    }
    say("asked: \(words)", .person, seconds: 2)
    return [.send(command, by: source.author)]
  }

  mutating func scaleRate(by factor: Double) -> [Effect] {
    let name = SettingCatalog.learningRateMultiplier
    guard let declaration = declaration(name) else {
      say("this run declares no \(name)", .warning)
      return []
    }
    if let refusal = declaration.refusal {
      say("\(name): \(refusal)", .warning)
      return []
    }
    let wanted = (setting(name)?.number ?? 1) * factor
    guard case .number(let lowest, let highest) = declaration.kind,
      wanted >= lowest, wanted <= highest
    else {
      say("\(name): give \(declaration.kind.allowed)", .warning)
      return []
    }
    let change = SettingChange(name, to: .number(wanted), in: self)
    guard let question = change?.question else {
      return ask(.set(name: name, value: .number(wanted)))
    }
    layers.append(Confirmation(question, of: .set(name: name, value: .number(wanted))))
    return []
  }
}
