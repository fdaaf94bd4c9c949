import Foundation
import Screen
import Telemetry
import Testing

@testable import Terminal

/// curses has one state a process: one test at a time.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct CursesTerminalTests {
  private let pseudoTerminal: PseudoTerminal
  private let terminal: CursesTerminal
  private let keys: KeyReader

  init() throws {
    pseudoTerminal = try PseudoTerminal(columns: 40, rows: 12)
    let capabilities = try Capabilities.detected(
      devicePath: pseudoTerminal.path, environment: ["TERM": "xterm-256color"])
    terminal = CursesTerminal(
      capabilities: capabilities, devicePath: pseudoTerminal.path, capturesOutput: false)
    keys = KeyReader(terminal)
  }

  private func screen(_ text: String, columns: Int = 40, rows: Int = 12) -> CellGrid {
    var grid = CellGrid(columns: columns, rows: rows)
    let style = Style(foreground: .rgb(255, 0, 0))
    grid.write(text, at: Point(column: 2, row: 1), style: style)
    return grid
  }

  @Test func `the terminal is left as it was found`() throws {
    let found = pseudoTerminal.modes
    try terminal.enter()
    #expect(terminal.isActive)
    #expect(terminal.size == Size(columns: 40, rows: 12))
    #expect(pseudoTerminal.modes != found)
    terminal.draw(screen("loss 1.98"))
    terminal.leave()
    #expect(pseudoTerminal.modes == found)
    #expect(pseudoTerminal.receives("\u{1B}[?1049l"))
    for mode in ["1049", "25", "1000", "1002", "2004", "2026"] {
      let on = pseudoTerminal.output.range(of: "\u{1B}[?\(mode)h", options: .backwards)
      let off = pseudoTerminal.output.range(of: "\u{1B}[?\(mode)l", options: .backwards)
      let isCursor = mode == "25"
      let first = isCursor ? off : on
      let last = isCursor ? on : off
      if let first { #expect(first.lowerBound < (last ?? first).lowerBound, "mode \(mode)") }
    }
  }

  @Test func `signal handlers are put back, and none is set for interrupt and terminate`() throws {
    func handlers() -> [UInt] {
      [SIGINT, SIGTERM, SIGTSTP, SIGWINCH, SIGCONT].map { signal in
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
      }
    }
    let found = handlers()
    try terminal.enter()
    #expect(Array(handlers()[..<2]) == Array(found[..<2]))
    terminal.leave()
    #expect(handlers() == found)
  }

  @Test func `what is drawn arrives, and then only what changes`() throws {
    try terminal.enter()
    terminal.draw(screen("attention 日本 ⣿"))
    #expect(pseudoTerminal.receives("attention 日本 ⣿"))
    #expect(pseudoTerminal.output.contains("38;5;196m"))
    let before = pseudoTerminal.output.utf8.count
    terminal.draw(screen("attention 日本 ⣷"))
    #expect(pseudoTerminal.receives("⣷"))
    #expect(pseudoTerminal.output.utf8.count - before < 80)
    terminal.leave()
  }

  @Test func `a grid of any other size is drawn as far as it goes`() throws {
    try terminal.enter()
    for (columns, rows) in [(0, 0), (1, 1), (200, 60), (41, 13), (3, 99)] {
      terminal.draw(screen("日本語 wide", columns: columns, rows: rows))
    }
    terminal.draw(screen("the end"))
    #expect(pseudoTerminal.receives("the end"))
    terminal.leave()
  }

  @Test func `more colours than there are pairs still draw`() throws {
    let few = CursesTerminal(
      capabilities: Capabilities(colors: .ansi16, terminalType: "xterm"),
      devicePath: pseudoTerminal.path, capturesOutput: false)
    try few.enter()
    for shift in 0..<3 {
      var grid = CellGrid(columns: 40, rows: 12)
      for row in 0..<12 {
        for column in 0..<40 {
          let style = Style(
            foreground: .ansi(UInt8((column + shift) % 16)), background: .ansi(UInt8(row % 16)))
          grid[column, row] = Cell("x", style: style)
        }
      }
      grid.write("shift \(shift)", at: Point(column: 0, row: 0), style: .plain)
      few.draw(grid)
    }
    #expect(pseudoTerminal.receives("shift 0"))
    few.leave()
  }

  @Test(arguments: [
    ("q", Key.character("q")), ("é", .character("é")), ("\u{1B}OA", .up), ("\u{1B}[A", .up),
    ("\u{1B}", .escape), ("\t", .tab), ("\u{1B}[Z", .backtab), ("\r", .enter),
    ("\u{3}", .control("c")),
    ("\u{1A}", .control("z")), ("\u{7F}", .backspace), ("\u{1B}[3~", .delete),
    ("\u{1B}[6~", .pageDown),
    ("\u{1B}OP", .function(1)), ("\u{1B}[99;9~", .unknown), ("\u{1B}[>0;276;0c", .unknown),
  ])
  func `a key comes as itself`(typed: String, key: Key) throws {
    try terminal.enter()
    pseudoTerminal.type(typed)
    #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.key(key)))
    #expect(keys.next(timeoutMilliseconds: 0) == .nothing)
    terminal.leave()
  }

  @Test func `escape and a key after it are two keys`() throws {
    try terminal.enter()
    pseudoTerminal.type("\u{1B}q")
    #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.key(.escape)))
    #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.key(.character("q"))))
    terminal.leave()
  }

  @Test func `pasted text is not keys`() throws {
    try terminal.enter()
    pseudoTerminal.type("\u{1B}[200~q\rquit é\u{1B}[201~x")
    #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.pasted("q\nquit é")))
    #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.key(.character("x"))))
    terminal.leave()
  }

  @Test func `mouse events that come at once stay in order`() throws {
    try terminal.enter()
    pseudoTerminal.type("\u{1B}[<0;10;5M\u{1B}[<32;12;6M\u{1B}[<0;12;6m\u{1B}[<64;3;3M")
    let expected: [(MouseEvent.Kind, MouseEvent.Button, Point)] = [
      (.pressed, .left, Point(column: 9, row: 4)), (.dragged, .left, Point(column: 11, row: 5)),
      (.released, .left, Point(column: 11, row: 5)), (.wheelUp, .none, Point(column: 2, row: 2)),
    ]
    for (kind, button, point) in expected {
      let event = MouseEvent(kind: kind, button: button, point: point)
      #expect(keys.next(timeoutMilliseconds: 20_000) == .event(.mouse(event)))
    }
    terminal.leave()
  }

  @Test func `a new size is noticed without a signal`() throws {
    try terminal.enter()
    terminal.draw(screen("before"))
    pseudoTerminal.resize(columns: 60, rows: 20)
    let size = Size(columns: 60, rows: 20)
    #expect(keys.next(timeoutMilliseconds: 0) == .event(.resized(size)))
    #expect(terminal.size == size)
    terminal.draw(screen("after", columns: 60, rows: 20))
    #expect(pseudoTerminal.receives("after"))
    terminal.leave()
  }

  @Test func `what a signal handler writes ends the wait`() throws {
    try terminal.enter()
    let descriptor = terminal.waker.handlerDescriptor
    Thread.detachNewThread {
      var byte: UInt8 = 1
      _ = write(descriptor, &byte, 1)
    }
    #expect(keys.next(timeoutMilliseconds: 600_000) == .nothing)
    terminal.leave()
  }

  @Test func `a terminal that is gone says so each time`() throws {
    try terminal.enter()
    pseudoTerminal.hangUp()
    #expect(keys.next(timeoutMilliseconds: 20_000) == .closed)
    #expect(keys.next(timeoutMilliseconds: 20_000) == .closed)
    terminal.draw(screen("nobody sees this"))
    terminal.leave()
    #expect(keys.next(timeoutMilliseconds: 20_000) == .closed)
  }

  @Test func `what is not a terminal is refused`() {
    let capabilities = Capabilities(colors: .none, terminalType: "xterm")
    #expect(
      throws: TerminalError.noTerminal(path: "/dev/null", reason: SystemFault(ENOTTY))
    ) {
      try CursesTerminal(capabilities: capabilities, devicePath: "/dev/null").enter()
    }
    #expect(throws: TerminalError.refused(terminalType: "no-such-terminal")) {
      try CursesTerminal(
        capabilities: Capabilities(colors: .none, terminalType: "no-such-terminal"),
        devicePath: pseudoTerminal.path
      ).enter()
    }
  }
}
