import Dashboard
import Dispatch
import Foundation
import Runs
import Screen
import Sessions
import Signals
import Telemetry
import Terminal

/// The dashboard on a real terminal: one loop that owns the state, keys and records in, cells out.
///
/// It draws at most thirty times a second for keys, ten times where only records came, and only what
/// changed. A key is answered at once, however short a while ago a record was drawn.
final class DashboardScreen {
  enum Departure {
    case left(Leave)
    /// The terminal went away; the run does not.
    case terminalGone
    /// The person chose another run to be shown: the screen stays up for it, but for a live run's,
    /// which has its end to tell.
    case opens(path: String, Leave)
  }

  /// What has to be right before anything starts: terminal and theme.
  struct Stage {
    let capabilities: Capabilities
    let look: Look
    let memory: DashboardMemory
    let warnings: [String]

    /// `theme` wins over the one that was chosen last; what is remembered wrongly is a warning.
    init(theme: String?) throws {
      capabilities = try Capabilities.detected(ownDescriptions: StateFolder.terminfo)
      let (memory, flaw) = DashboardMemory.read()
      self.memory = memory
      let remembered = theme == nil ? memory.theme : nil
      var flaws = [flaw].compactMap(\.self)
      if let remembered, let known = try? Look(theme: remembered, capabilities: capabilities) {
        look = known
      } else {
        look = try Look(theme: theme, capabilities: capabilities)
        if let remembered {
          flaws.append("theme '\(remembered)' is no longer there: t chooses one")
        }
      }
      warnings = look.warnings + flaws
    }
  }

  private static let keyFrameSeconds = 1.0 / 30
  private static let recordFrameSeconds = 1.0 / 10

  private var state: DashboardState
  private let terminal: CursesTerminal
  private let keys: KeyReader
  /// What any thread may hold, to end the screen without a question.
  let endRequest = EndRequest()
  private let shelf: RunShelf
  private var interrupts: Interrupts?
  private let archivist = SampleArchivist()
  private var lastFrame = 0.0
  /// When the last frame was drawn that answered a key.
  private var lastAnswer = 0.0
  /// Whether a key has come since then.
  private var owesAnswer = false
  /// Whether a replay plays, or did when the last frame was drawn.
  private var isPlaying = true
  /// Whether anything has happened since the last frame, but for the clock.
  private var isStale = true
  private var clockFace: ClockFace?
  private var departure: Departure?
  private var send: (Command, String) -> Void = { _, _ in }
  private var memory: DashboardMemory

  /// The screen of another run in place of `previous`, which is not to be used any more: on the
  /// same terminal, without a moment between the two.
  init(source: RunSource, after previous: DashboardScreen) {
    shelf = previous.shelf
    shelf.dropAll()
    memory = previous.memory
    terminal = previous.terminal
    keys = previous.keys
    state = DashboardState(
      source: source, size: terminal.size, appearance: previous.state.appearance, now: Self.now())
    state.secondsFromGMT = previous.state.secondsFromGMT
    state.arrangement = previous.state.arrangement
    state.arrangement.zoomed = nil
    state.commandHistory = previous.state.commandHistory
    state.browser = previous.state.browser.reopened
  }

  /// Runs that `shelf` has read already are read on.
  init(
    source: RunSource, theme: String?, stage: Stage? = nil, shelf: RunShelf = RunShelf()
  ) throws {
    self.shelf = shelf
    let stage = try stage ?? Stage(theme: theme)
    let (capabilities, look) = (stage.capabilities, stage.look)
    memory = stage.memory
    CrashGuard.install()
    terminal = CursesTerminal(capabilities: capabilities)
    keys = KeyReader(terminal)
    try terminal.enter()
    state = DashboardState(
      source: source, size: terminal.size, appearance: look.appearance, now: Self.now())
    state.secondsFromGMT = TimeZone.current.secondsFromGMT()
    state.presetDefaults = PresetDefaults.all
    state.showsHelpHint = !memory.knowsHelp
    if let arrangement = memory.arrangement { state.arrangement = arrangement }
    state.commandHistory = memory.commands
    state.wall.heads = memory.wallHeads
    for warning in stage.warnings { act(.consoleLineCaptured(warning)) }
  }

  /// Takes what happened before the first frame.
  func take(_ action: Action) {
    act(action)
  }

  /// Starts a replay at `step` (its beginning) at `speed` (such that it takes half a minute).
  func play(from step: Int?, speed: Double?, pace: Playback.Pace, idleCap: Double) {
    let times = state.history.wallTimes
    let seconds = times.isEmpty ? 0 : (times.lastValue ?? 0) - times.value(atIndex: 0)
    let length = pace == .time ? seconds : Double(times.count)
    let usual = Playback.speeds.first { $0 * 30 >= length } ?? 1000
    let (first, last) = (state.history.firstStep ?? 0, state.history.lastStep ?? 0)
    state.playback = Playback(
      step: min(step ?? first, last), isPlaying: step == nil, speed: speed ?? usual, pace: pace,
      idleCap: idleCap)
    if step != nil {
      state.say("paused at step \(NumberText.grouped(state.stepsDone)): space plays", seconds: 8)
    } else {
      state.say("playing at \(state.speedText): space pauses", seconds: 8)
    }
  }

  /// Runs until the person leaves or the terminal goes away, then leaves the terminal as it was.
  ///
  /// `records` hands out what has come since it was last asked, and how much was dropped; `send`
  /// takes a command and who gives it; `tend` is called with every turn and gives what keeps
  /// records from being written; `stand` says how a source of another process stands and why it
  /// takes no commands.
  func run(
    records: () -> (records: [RunRecord], dropped: Int),
    send: @escaping (Command, String) -> Void, tend: () -> String?,
    stand: () -> (state: SourceState, refusal: String?)? = { nil }
  ) -> Departure {
    self.send = send
    let endRequest = endRequest
    interrupts = Interrupts([SIGINT, SIGTERM]) { endRequest.make($0) }
    while true {
      takeInput()
      let (arrived, dropped) = records()
      if !arrived.isEmpty { act(.recordsArrived(arrived)) }
      if dropped > 0 { act(.updatesDropped(dropped)) }
      for action in shelf.take() { act(action) }
      leaveOlderSamples()
      act(.recorderStatusChanged(tend()))
      if let standing = stand() {
        act(.sourceStood(standing.state, refusal: standing.refusal))
      }
      act(.ticked(now: Self.now()))
      if endRequest.isNew() { act(.endRequested) }
      if let departure { return end(departure) }
      drawIfDue()
    }
  }

  private func end(_ departure: Departure) -> Departure {
    remember()
    // A live run has its end to come to: whoever waits for it listens next, and none is missed.
    if state.source.kind != .live { interrupts = nil }
    guard case .opens = departure, state.source.kind != .live else {
      leaveTerminal()
      return departure
    }
    return departure
  }

  /// Has what a run that grows has committed read from its session instead of kept.
  private func leaveOlderSamples() {
    guard state.source.kind != .replay, let file = state.source.file else { return }
    if let read = archivist.read(file, for: state.history) { act(.samplesArchived(read)) }
  }

  /// Gives the terminal back where no other screen has taken it over.
  func leaveTerminal() {
    terminal.leave()
  }

  /// Waits for a key, at most until the next frame is due, then takes all that wait.
  private func takeInput() {
    let frame = isPlaying || owesAnswer ? Self.keyFrameSeconds : Self.recordFrameSeconds
    let last = owesAnswer ? lastAnswer : lastFrame
    var wait = min(max(0, last + frame - Self.uptime()), frame)
    while true {
      switch keys.next(timeoutMilliseconds: Int((wait * 1000).rounded(.up))) {
      case .event(let event):
        take(event)
        // What was pressed after the key that leaves is for whatever comes next.
        if departure != nil { return }
      case .closed:
        departure = .terminalGone
        return
      case .nothing: return
      }
      wait = 0
    }
  }

  private func take(_ event: InputEvent) {
    owesAnswer = true
    switch event {
    case .key(let key): act(.keyPressed(key))
    case .mouse(let mouse): act(.mouseMoved(mouse))
    case .resized(let size): act(.resized(size))
    case .pasted(let text): act(.textPasted(text))
    }
  }

  private func drawIfDue() {
    let now = Self.uptime()
    let last = owesAnswer ? lastAnswer : lastFrame
    guard now - last >= Self.keyFrameSeconds * 0.9 else { return }
    lastFrame = now
    if owesAnswer { lastAnswer = now }
    owesAnswer = false
    isPlaying = state.playback?.isPlaying ?? false
    if isStale || state.clockFace != clockFace {
      isStale = false
      clockFace = state.clockFace
      terminal.draw(view(state))
    }
    for line in terminal.strayLines() { act(.consoleLineCaptured(line)) }
  }

  private func act(_ action: Action) {
    switch action {
    case .ticked, .recorderStatusChanged, .sourceStood: break
    default: isStale = true
    }
    for effect in update(&state, action) { carryOut(effect) }
  }

  private func carryOut(_ effect: Effect) {
    switch effect {
    case .send(let command, let author): send(command, author)
    case .writeScreen(let request): write(request)
    case .quit(let leave): departure = .left(leave)
    case .changeTheme(let name): remember(theme: name)
    case .rememberCommand(let words): DashboardMemory.change { $0.add(command: words) }
    case .repaint: terminal.repaint()
    case .bell: terminal.ring()
    case .suspend: suspend()
    case .listRuns: shelf.list(beside: state.source.file)
    case .loadRun(let run): shelf.load(run)
    case .dropRun(let path): shelf.drop(path: path)
    case .lookForRuns(let place): shelf.look(in: place, beside: state.source.file)
    case .editRun(let edit): shelf.make(edit, beside: state.source.file)
    case .openRun(let run, let leave): open(run, leave)
    }
  }

  /// Leaves for another run once it is sure that it can be read.
  private func open(_ run: ListedRun, _ leave: Leave) {
    if shelf.roster?.run(at: run.path) != nil {
      departure = .opens(path: run.path, leave)
      return
    }
    do throws(SessionError) {
      _ = try SessionReader(path: SessionReference(run.path).path)
      departure = .opens(path: run.path, leave)
    } catch {
      act(.runNotLoaded(run, reason: error.description))
    }
  }

  private func write(_ request: PictureRequest) {
    let file =
      request.file.map { ScreenFile(path: NSString(string: $0).expandingTildeInPath) }
      ?? ScreenFile.fresh(name: state.source.name, step: state.playhead)
    do {
      try file.write(
        picture(state, size: request.size), title: state.source.name, theme: state.appearance.theme)
      act(.screenWritten(path: file.path))
    } catch {
      act(.screenNotWritten(reason: "\(error)"))
    }
  }

  /// Writes down the theme and the arrangement where either has changed, and leaves what another
  /// dashboard wrote of the rest.
  private func remember(theme: String? = nil) {
    var next = memory
    next.theme = theme ?? next.theme
    var arrangement = state.arrangement
    (arrangement.zoomed, arrangement.focus) = (nil, .loss)
    if arrangement != next.arrangement ?? Arrangement() { next.arrangement = arrangement }
    next.wallHeads = state.wall.heads
    next.knowsHelp = true
    guard next != memory else { return }
    let before = memory
    memory = next
    DashboardMemory.change { $0.take(next, changedFrom: before) }
  }

  private func suspend() {
    terminal.suspend()
    act(.resized(terminal.size))
    owesAnswer = true
  }

  /// Seconds on a clock that nobody sets.
  private static func uptime() -> Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  private static func now() -> Double {
    Date().timeIntervalSince1970
  }
}
