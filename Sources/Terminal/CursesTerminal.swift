import CNcurses
import Foundation
package import Screen
import Telemetry

/// The terminal as a place to draw cells on.
///
/// curses keeps its state in globals, so that all of this belongs to one thread: the class is not
/// Sendable, and the compiler keeps it on the thread that made it. Only `waker` may be shared.
package final class CursesTerminal {
  package let capabilities: Capabilities
  let waker = Waker()
  package private(set) var size = Size(columns: 80, rows: 24)
  package private(set) var isActive = false

  private let devicePath: String
  private let capturesOutput: Bool
  private(set) var descriptor: Int32 = -1
  private var screen: OpaquePointer?
  private var files: [UnsafeMutablePointer<FILE>] = []
  private var foundModes = termios()
  private var foundSignals = TerminalSignals.Saved()
  private var pairs = ColorPairs(limit: 0)
  private var shown: CellGrid?
  var capture = OutputCapture()

  /// `devicePath` is the terminal to draw on, and to read keys from, whatever standard input is.
  package init(
    capabilities: Capabilities, devicePath: String = "/dev/tty", capturesOutput: Bool = true
  ) {
    self.capabilities = capabilities
    self.devicePath = devicePath
    self.capturesOutput = capturesOutput
  }

  deinit { leave() }

  /// Takes the terminal: alternate screen, no echo, every key delivered (ctrl-c and ctrl-z too),
  /// no cursor. What is printed meanwhile is kept for `strayLines`.
  package func enter() throws(TerminalError) {
    guard !isActive else { return }
    try open()
    foundSignals = TerminalSignals.saved()
    guard let output = stream("w"), let input = stream("r") else {
      close(descriptor)
      throw .noTerminal(path: devicePath, reason: SystemFault(errno))
    }
    files = [output, input]
    screen = newterm(capabilities.terminalType, output, input)
    // curses has set handlers for SIGINT, SIGTERM and others: those are the program's business.
    TerminalSignals.restore(foundSignals)
    guard screen != nil else {
      closeFiles()
      throw .refused(terminalType: capabilities.terminalType)
    }
    isActive = true
    setModes()
    if capturesOutput { capture.start() }
    sendOwnModes(on: true)
    TerminalSignals.install(waking: waker)
    armCrashGuard()
    measure()
  }

  /// Gives the terminal back as it was found. Harmless when there is nothing to give back.
  package func leave() {
    guard isActive else { return }
    isActive = false
    sendOwnModes(on: false)
    if capabilities.hasMouse { mousemask(0, nil) }
    endwin()
    restoreModes()
    CrashGuard.disarm()
    if let screen { delscreen(screen) }
    screen = nil
    TerminalSignals.restore(foundSignals, leaving: [SIGINT, SIGTERM])
    capture.stop()
    closeFiles()
    shown = nil
  }

  /// Sends what differs from the last grid. A grid of another size is drawn from the top left.
  package func draw(_ grid: CellGrid) {
    guard isActive else { return }
    var grid = grid
    grid.adapt(to: capabilities.symbols)
    guard grid != shown else { return }
    if shown?.size != grid.size {
      shown = nil
      werase(curses_window())
    }
    if !paint(grid, over: shown) {
      pairs.removeAll()
      shown = nil
      _ = paint(grid, over: nil)
    }
    shown = grid
    refresh()
  }

  /// Draws the last grid again on a cleared terminal, for one that something else has written on.
  package func repaint() {
    guard isActive else { return }
    clearok(curses_shown_window(), true)
    refresh()
  }

  /// Rings the terminal's bell.
  package func ring() {
    guard isActive else { return }
    beep()
  }

  /// Stops the process as ctrl-z does, with the terminal given back meanwhile. Where whoever
  /// started it said that it is not to be stopped (no job control), nothing happens.
  package func suspend() {
    guard isActive, !foundSignals.ignoresStop else { return }
    sendOwnModes(on: false)
    endwin()
    restoreModes()
    TerminalSignals.stop()
    resume()
  }

  /// After the process was stopped: whoever had the terminal may have left it in any state.
  func resume() {
    _ = TerminalSignals.take(.continued)
    reset_prog_mode()
    sendOwnModes(on: true)
    measure()
    clearok(curses_shown_window(), true)
    refresh()
  }

  /// What was printed to standard output or error since the last time, by whoever did.
  package func strayLines() -> [String] { capture.takeLines() }

  /// Asks for the size, since a signal can be lost, and says whether it is another.
  @discardableResult
  func measure() -> Bool {
    var height: Int32 = 0
    var width: Int32 = 0
    guard curses_window_size(descriptor, &height, &width) == 0, height > 0, width > 0 else {
      return false
    }
    let found = Size(columns: Int(width), rows: Int(height))
    guard found != size || shown == nil else { return false }
    let isOther = found != size
    size = found
    resizeterm(height, width)
    if isOther {
      shown = nil
      werase(curses_window())
      clearok(curses_shown_window(), true)
    }
    return isOther
  }

  private func open() throws(TerminalError) {
    descriptor = Foundation.open(devicePath, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .noTerminal(path: devicePath, reason: SystemFault(errno))
    }
    guard tcgetattr(descriptor, &foundModes) == 0 else {
      let reason = SystemFault(errno)
      close(descriptor)
      throw .noTerminal(path: devicePath, reason: reason)
    }
  }

  /// On a descriptor of its own that programs started meanwhile don't inherit.
  private func stream(_ mode: String) -> UnsafeMutablePointer<FILE>? {
    fdopen(fcntl(descriptor, F_DUPFD_CLOEXEC, 3), mode)
  }

  private func closeFiles() {
    for file in files { fclose(file) }
    files = []
    close(descriptor)
    descriptor = -1
  }

  private func setModes() {
    raw()
    noecho()
    nonl()
    set_escdelay(25)
    curs_set(0)
    let window = curses_window()
    keypad(window, true)
    nodelay(window, true)
    if capabilities.colors != .none, start_color() == OK {
      use_default_colors()
      pairs = ColorPairs(limit: Int(curses_color_pairs()))
    }
    if capabilities.hasMouse {
      mousemask(curses_mouse_events(), nil)
      mouseinterval(0)
    }
    for (sequence, code) in KeyReader.pasteKeys { define_key(sequence, code) }
  }

  private func restoreModes() {
    tcsetattr(descriptor, TCSADRAIN, &foundModes)
  }

  private func refresh() {
    let isModern = capabilities.colors == .rgb || capabilities.colors == .indexed256
    if isModern { send("\u{1B}[?2026h") }
    wnoutrefresh(curses_window())
    doupdate()
    if isModern { send("\u{1B}[?2026l") }
  }

  /// Pasted text in one piece, and motion while a button is held, which curses doesn't ask for.
  private func sendOwnModes(on: Bool) {
    let letter = on ? "h" : "l"
    send("\u{1B}[?2004\(letter)")
    if capabilities.hasMouse { send("\u{1B}[?1002\(letter)") }
  }

  private func send(_ text: String) {
    _ = text.withCString { write(descriptor, $0, strlen($0)) }
  }

  private func armCrashGuard() {
    let text =
      "\u{1B}[?2026l\u{1B}[?2004l"
      + (capabilities.hasMouse ? "\u{1B}[?1002l\u{1B}[?1006l\u{1B}[?1000l" : "")
      + ["sgr0", "rmkx", "cnorm", "rmcup"].compactMap(Capabilities.Description.text).map(unpadded)
      .joined()
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = bytes.initialize(from: text.utf8)
    CrashGuard.arm(
      CrashGuard.Record(
        descriptor: descriptor, bytes: bytes, modes: foundModes, capturedOutput: capture.readEnd,
        originalError: capture.originalError ?? -1))
  }

  /// Without the `$<20>` that asks for a pause.
  private func unpadded(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.range(of: "$<"), let end = rest[start.upperBound...].firstIndex(of: ">")
    {
      result += rest[..<start.lowerBound]
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  /// False when there are no colour pairs left and there were some to take back.
  private func paint(_ grid: CellGrid, over last: CellGrid?) -> Bool {
    var painter = CellPainter(
      window: curses_window(), depth: capabilities.colors, paletteSize: Int(curses_colors()),
      mayLackPairs: last == nil)
    return painter.paint(grid, over: last, size: size, pairs: &pairs)
  }
}
