import Foundation
import Screen
import Terminal
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CrashGuardTests {
  /// Draws a screen on the terminal at `path`, in a process that is about to end.
  private static func drawScreen(path: String) throws {
    CrashGuard.install()
    let terminal = CursesTerminal(
      capabilities: Capabilities(colors: .indexed256, terminalType: "xterm-256color"),
      devicePath: path, capturesOutput: false)
    try terminal.enter()
    terminal.draw(CellGrid(columns: 40, rows: 12))
    // Whatever leaves now is the guard.
    _ = Unmanaged.passRetained(terminal)
  }

  @Test func `a trap leaves the terminal as it was found and the signal as it is`() async throws {
    let pseudoTerminal = try PseudoTerminal(columns: 40, rows: 12)
    let found = pseudoTerminal.modes
    let path = pseudoTerminal.path
    #if arch(x86_64)
      let trap = ExitTest.Condition.signal(SIGILL)
    #else
      let trap = ExitTest.Condition.signal(SIGTRAP)
    #endif
    await #expect(processExitsWith: trap) { [path = path as String] in
      try CrashGuardTests.drawScreen(path: path)
      preconditionFailure("on purpose")
    }
    #expect(pseudoTerminal.receives("\u{1B}[?1049l"))
    #expect(pseudoTerminal.modes == found)
  }

  @Test func `an abort does too`() async throws {
    let pseudoTerminal = try PseudoTerminal(columns: 40, rows: 12)
    let found = pseudoTerminal.modes
    let path = pseudoTerminal.path
    await #expect(processExitsWith: .signal(SIGABRT)) { [path = path as String] in
      try CrashGuardTests.drawScreen(path: path)
      abort()
    }
    #expect(pseudoTerminal.receives("\u{1B}[?1049l"))
    #expect(pseudoTerminal.modes == found)
  }

  @Test func `an exit from somewhere deep does too`() async throws {
    let pseudoTerminal = try PseudoTerminal(columns: 40, rows: 12)
    let found = pseudoTerminal.modes
    let path = pseudoTerminal.path
    await #expect(processExitsWith: .exitCode(3)) { [path = path as String] in
      try CrashGuardTests.drawScreen(path: path)
      exit(3)
    }
    #expect(pseudoTerminal.receives("\u{1B}[?1049l"))
    #expect(pseudoTerminal.modes == found)
  }
}
