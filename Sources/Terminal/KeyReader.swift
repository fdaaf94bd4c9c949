import CNcurses
import Foundation
package import Screen

/// Keys, mouse and window changes, one at a time.
package final class KeyReader {
  package enum Reading: Hashable, Sendable {
    case event(InputEvent)
    /// The time is up, or somebody woke the loop.
    case nothing
    /// The terminal is gone, for good: every further reading says so at once.
    case closed
  }

  private let terminal: CursesTerminal
  private var queue: [InputEvent] = []
  private var mouse = MouseDecoder()

  /// Codes of our own, above those of curses.
  private static let pasteStart: Int32 = 0x400
  private static let pasteEnd: Int32 = 0x401
  static let pasteKeys = [("\u{1B}[200~", pasteStart), ("\u{1B}[201~", pasteEnd)]
  private static let longestPaste = 1 << 20

  package init(_ terminal: CursesTerminal) { self.terminal = terminal }

  /// Waits for the next event. What the process is told by signals (stop, go on, another window)
  /// is answered here as well.
  package func next(timeoutMilliseconds: Int) -> Reading {
    guard terminal.isActive else { return .closed }
    if let event = pending() { return .event(event) }
    var descriptors = [terminal.descriptor, terminal.waker.readEnd, terminal.capture.readEnd].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: timeoutMilliseconds))
    if descriptors[1].revents != 0 { terminal.waker.drain() }
    if descriptors[2].revents != 0 { terminal.capture.drain() }
    if let event = pending() { return .event(event) }
    let isGone = Int32(descriptors[0].revents) & (POLLHUP | POLLERR | POLLNVAL) != 0
    return isGone ? .closed : .nothing
  }

  private func pending() -> InputEvent? {
    if TerminalSignals.take(.stopRequested) {
      terminal.suspend()
      return .resized(terminal.size)
    }
    if TerminalSignals.take(.continued) {
      terminal.resume()
      return .resized(terminal.size)
    }
    _ = TerminalSignals.take(.windowChanged)
    if terminal.measure() { return .resized(terminal.size) }
    while queue.isEmpty, let (code, isFunction) = read() { accept(code, isFunction) }
    return queue.isEmpty ? nil : queue.removeFirst()
  }

  private func read() -> (code: UInt32, isFunction: Bool)? {
    var code: wint_t = 0
    let result = wget_wch(curses_window(), &code)
    guard result != ERR else { return nil }
    return (code, result == KEY_CODE_YES)
  }

  private func accept(_ code: UInt32, _ isFunction: Bool) {
    guard isFunction else {
      if code == 0x1B { return acceptEscape() }
      return queue.append(.key(Key(scalar: code)))
    }
    switch Int32(bitPattern: code) {
    case KEY_RESIZE: break
    case KEY_MOUSE: acceptMouse()
    case KeyReader.pasteStart: queue.append(.pasted(readPaste()))
    case KeyReader.pasteEnd: break
    case let code: queue.append(.key(Key(cursesCode: code)))
    }
  }

  /// One key stands for all mouse events that came at once, and the last of them is handed out
  /// first.
  private func acceptMouse() {
    var events: [MEVENT] = []
    var event = MEVENT()
    while getmouse(&event) == OK { events.append(event) }
    for event in events.reversed() {
      guard let decoded = mouse.decode(event) else { continue }
      queue.append(.mouse(decoded))
    }
  }

  /// curses has waited for the rest of a sequence and found none that it knows. Either it was the
  /// key, or the sequence is one that the terminal's description lacks.
  private func acceptEscape() {
    guard let (next, isFunction) = read() else { return queue.append(.key(.escape)) }
    guard !isFunction, next == 0x5B || next == 0x4F else {
      queue.append(.key(.escape))
      return accept(next, isFunction)
    }
    var rest: [UInt32] = []
    while rest.count < 32, let (code, isFunction) = read(), !isFunction {
      rest.append(code)
      if next == 0x4F || (0x40...0x7E).contains(code) {
        return queue.append(.key(Key(introducer: next, sequence: rest)))
      }
    }
    queue.append(.key(.escape))
    queue += ([next] + rest).map { .key(Key(scalar: $0)) }
  }

  private func readPaste() -> String {
    var text = String.UnicodeScalarView()
    while text.count < KeyReader.longestPaste {
      guard let (code, isFunction) = read() else {
        var descriptor = pollfd(fd: terminal.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 100) > 0 else { break }
        if Int32(descriptor.revents) & POLLHUP != 0 { break }
        continue
      }
      if isFunction && Int32(bitPattern: code) == KeyReader.pasteEnd { break }
      guard !isFunction, let scalar = Unicode.Scalar(code) else { continue }
      text.append(scalar == "\r" ? "\n" : scalar)
    }
    return String(text)
  }
}
