import Dashboard
import Dispatch
import Foundation
import Runs
import Screen
import Terminal

/// The screen of a sweep on a real terminal: keys and what the cells tell in, cells of the terminal
/// out, ten times a second at most.
final class SweepScreen {
  enum Departure {
    case opens(cell: Int)
    case left(SweepLeave)
    case terminalGone
  }

  private static let frameSeconds = 1.0 / 10
  private static let keyFrameSeconds = 1.0 / 30

  private(set) var state: SweepState
  private let terminal: CursesTerminal
  private let keys: KeyReader
  private let board: SweepBoard
  private let endRequest: EndRequest
  private let addRate: (Double) throws -> Int
  private let endCell: (Int) -> Void
  private var departure: Departure?
  private var isStale = true
  private var lastFrame = 0.0
  private var clockFace: [Int] = []

  /// `earlier` is the state of the screen that this one comes back for; `addRate` adds cells and says
  /// how many.
  /// - Throws: what is wrong with the terminal or the theme.
  init(
    board: SweepBoard, earlier: SweepState?, theme: String?, endRequest: EndRequest,
    addRate: @escaping (Double) throws -> Int, endCell: @escaping (Int) -> Void
  ) throws {
    (self.board, self.endRequest) = (board, endRequest)
    (self.addRate, self.endCell) = (addRate, endCell)
    let stage = try DashboardScreen.Stage(theme: theme)
    CrashGuard.install()
    terminal = CursesTerminal(capabilities: stage.capabilities)
    keys = KeyReader(terminal)
    try terminal.enter()
    let name = URL(fileURLWithPath: board.plan.folder.path).lastPathComponent
    var state = earlier ?? SweepState(name: name, size: terminal.size)
    state.size = terminal.size
    state.appearance = stage.look.appearance
    state.now = Self.now()
    self.state = state
    for warning in stage.warnings { self.state.say(warning, .warning, seconds: 6) }
  }

  /// Says a word on coming back.
  func say(_ text: String) {
    state.say(text, .warning, seconds: 6)
  }

  /// Shows the sweep until the person leaves or opens a cell; the terminal is as it was then.
  /// `isRunning` says whether this process has cells to run.
  func run(isRunning: () -> Bool) -> Departure {
    defer { terminal.leave() }
    _ = board.fill(&state, isForced: true)
    while true {
      takeInput()
      if endRequest.isNew() { return .left(.stop) }
      if let departure { return departure }
      let now = Self.now()
      board.look(now: now)
      let runs = isRunning()
      if runs != state.isRunning {
        state.isRunning = runs
        isStale = true
      }
      state.jobs = board.plan.jobs
      state.tick(now)
      for line in terminal.strayLines() { state.say(line, .warning, seconds: 6) }
      if board.fill(&state) { isStale = true }
      drawIfDue()
    }
  }

  private func takeInput() {
    var wait = max(0, lastFrame + Self.frameSeconds - Self.uptime())
    while true {
      switch keys.next(timeoutMilliseconds: Int((wait * 1000).rounded(.up))) {
      case .event(let event): take(event)
      case .closed: departure = .terminalGone
      case .nothing: return
      }
      if departure != nil { return }
      wait = 0
      lastFrame = min(lastFrame, Self.uptime() - Self.frameSeconds + Self.keyFrameSeconds)
    }
  }

  private func take(_ event: InputEvent) {
    isStale = true
    switch event {
    case .key(.control("l")): terminal.repaint()
    case .key(.control("z")):
      terminal.suspend()
      state.size = terminal.size
    case .key(let key): for effect in state.press(key) { carryOut(effect) }
    case .mouse(let mouse): for effect in state.point(mouse) { carryOut(effect) }
    case .resized(let size): state.size = size
    case .pasted: break
    }
  }

  private func carryOut(_ effect: SweepEffect) {
    switch effect {
    case .open(let cell): departure = .opens(cell: cell)
    case .end(let cell): endCell(cell)
    case .add(let rate): add(rate)
    case .writeScreen: write()
    case .quit(let leave): departure = .left(leave)
    case .bell: terminal.ring()
    }
  }

  private func add(_ rate: Double) {
    do {
      let count = try addRate(rate)
      state.say("\(count) cell\(count == 1 ? "" : "s") added", .good)
      _ = board.fill(&state, isForced: true)
    } catch {
      state.say("\(error)", .warning, seconds: 6)
      terminal.ring()
    }
  }

  private func write() {
    let file = ScreenFile.fresh(name: state.name, step: state.cells.count { $0.steps > 0 })
    do {
      try file.write(picture(state), title: state.name, theme: state.appearance.theme)
      state.say("screen written: \(file.path)", .good, seconds: 6)
    } catch {
      state.say("\(error)", .warning, seconds: 6)
    }
  }

  private func drawIfDue() {
    let now = Self.uptime()
    guard now - lastFrame >= Self.frameSeconds * 0.9 || isStale else { return }
    lastFrame = now
    guard isStale || state.clockFace != clockFace else { return }
    isStale = false
    clockFace = state.clockFace
    terminal.draw(view(state))
  }

  private static func uptime() -> Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  private static func now() -> Double { Date().timeIntervalSince1970 }
}
