import Screen
import Signals
import Telemetry

/// The next state, and what the shell has to do.
package func update(_ state: inout DashboardState, _ action: Action) -> [Effect] {
  let effects = answer(&state, action)
  state.refreshWall()
  return effects
}

private func answer(_ state: inout DashboardState, _ action: Action) -> [Effect] {
  switch action {
  case .recordsArrived(let records): return state.take(records)
  case .recordingOpened(let history): state.take(history)
  case .samplesArchived(let read): state.leaveSamples(toArchiveOf: read)
  case .keyPressed(let key): return state.press(key)
  case .textPasted(let text): return state.paste(text)
  case .mouseMoved(let event): return state.point(event)
  case .resized(let size): state.size = size
  case .ticked(let now):
    state.tick(now)
    return state.refreshRuns()
  case .recorderStatusChanged(let status): state.trouble.recorder = status
  case .sourceStood(let standing, let refusal):
    state.trouble.source = standing
    state.source.refusal = refusal
  case .updatesDropped(let count): state.trouble.droppedUpdates += count
  case .screenWritten(let path): state.say("screen written: \(path)", .good, seconds: 6)
  case .screenNotWritten(let reason): state.say(reason, .warning, seconds: 6)
  case .consoleLineCaptured(let line):
    state.history.append(.console(wallTime: state.now, line: line))
  case .runsListed(let runs, let places): state.take(runs, in: places)
  case .runsChanged(let words, let path): state.take(changes: words, at: path)
  case .runsNotChanged(let reason): state.say(reason, .warning, seconds: 6)
  case .othersWatched(let count):
    let others = count == 1 ? "one other run" : "\(NumberText.grouped(count)) other runs"
    state.say("\(others): O lists them, o draws one over this run", .person, seconds: 8)
  case .runAppeared(let name):
    state.say("\(name) has appeared: O shows it, o draws it over this run", .person, seconds: 8)
    state.history.append(.console(wallTime: state.now, line: "\(name) has appeared"))
  case .runLoaded(let run, let history): return state.lay(over: history, of: run)
  case .runGrew(let path, let records): state.extendOverlay(at: path, records)
  case .runNotLoaded(let run, let reason):
    state.overlayRequests.remove(run.path)
    state.say(reason, .warning, seconds: 6)
  case .endRequested: return [.quit(state.isLive ? .stopWithCheckpoint : .leave)]
  }
  return []
}

extension DashboardState {
  /// The front layer has the key first; what no layer wants goes to the table.
  mutating func press(_ key: Key) -> [Effect] {
    guard var layer = layers.popLast() else { return isEcho(key) ? [] : act(on: key) }
    let answer = layer.handle(key, in: self)
    guard answer.isConsumed else {
      layers.append(layer)
      guard case .control = key else { return [] }
      return act(on: key)
    }
    let effects = take(answer, of: layer)
    let isCommand = effects.contains { if case .send = $0 { true } else { false } }
    echo = answer.closes && isCommand ? key : nil
    return effects
  }

  /// Whether the key gave the run a command from a box, which closed, and is pressed once more while
  /// what came of it is still being said: then it was meant for the box.
  private mutating func isEcho(_ key: Key) -> Bool {
    defer { echo = nil }
    guard key == echo, toast != nil, let command = CommandTable.command(for: key, in: self) else {
      return false
    }
    say("\(key.words) was taken for the box that closed: once more is \(command.name)", .faint)
    return true
  }

  /// Puts the layer back unless it is closed, then does what it asks for.
  mutating func take(_ answer: LayerAnswer, of layer: any Layer) -> [Effect] {
    if !answer.closes { layers.append(layer) }
    if let left = layer as? RunBrowser { browser = left }
    return answer.deeds.flatMap { perform($0) }
  }

  private mutating func act(on key: Key) -> [Effect] {
    if isDeaf(to: key) { return [] }
    if leavesAtEnd(key) { return [.quit(.leave)] }
    guard let command = CommandTable.command(for: key, in: self) else {
      if key != .unknown {
        say("no action on '\(key.words)': ? lists the keys", .faint, seconds: 2)
      }
      return []
    }
    return run(command)
  }

  private func isDeaf(to key: Key) -> Bool {
    guard now < deafUntil, case .character(let character) = key else { return false }
    return character.isLetter || character.isNumber
  }

  /// A live run that is over waits for a key to be left; one that diverged may yet go back. A run
  /// that is visited from another screen is left by esc.
  private func leavesAtEnd(_ key: Key) -> Bool {
    let hasNothingToGoOutOf =
      viewport.cursor == nil && viewport.filter == nil && viewport.zoom == .all
      && arrangement.zoomed == nil
    if source.isVisited, key == .escape, hasNothingToGoOutOf { return true }
    guard source.kind == .live, history.state.isOver, history.state != .diverged,
      arrangement.zoomed == nil
    else { return false }
    return key == .enter || key == .escape && hasNothingToGoOutOf
  }

  mutating func run(_ command: DashboardCommand) -> [Effect] {
    if let refusal = command.refusal(self) {
      say("\(command.name): \(refusal)", .warning)
      return [.bell]
    }
    return command.perform(&self)
  }

  mutating func run(named name: String) -> [Effect] {
    guard let command = CommandTable.command(named: name, in: self) else { return [] }
    return run(command)
  }

  mutating func paste(_ text: String) -> [Effect] {
    guard layers.last?.takesText == true else { return [] }
    return text.filter { !$0.isNewline }.flatMap { press(.character($0)) }
  }

  /// Time passes: a replay moves on, a word fades.
  mutating func tick(_ now: Double) {
    let elapsed = now - self.now
    self.now = now
    if let toast, toast.until <= now { (self.toast, echo) = (nil, nil) }
    // The first tick comes from no time at all.
    guard elapsed < 10 else { return }
    playback?.advance(seconds: elapsed, in: history.wallTimes)
  }
}
