import Foundation
import Synchronization

/// The signals a full-screen program has to answer: the window's size changed, stop, go on. The
/// handlers only set a flag and wake the loop; the loop does the rest.
enum TerminalSignals {
  enum Flag: UInt32 {
    case windowChanged = 1
    case stopRequested = 2
    case continued = 4
  }

  private static let pending = Atomic<UInt32>(0)
  private static let wakeDescriptor = Atomic<Int32>(-1)

  /// What was in force before, to be put back.
  struct Saved {
    fileprivate var actions: [(signal: Int32, action: sigaction)] = []

    var ignoresStop: Bool {
      guard let stop = actions.first(where: { $0.signal == SIGTSTP }) else { return false }
      return unsafeBitCast(stop.action.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
    }
  }

  /// The dispositions curses replaces without being asked.
  static func saved() -> Saved {
    var saved = Saved()
    for signal in [SIGINT, SIGTERM, SIGTSTP, SIGWINCH, SIGCONT] {
      var action = sigaction()
      sigaction(signal, nil, &action)
      saved.actions.append((signal, action))
    }
    return saved
  }

  /// `programsOwn` are those that only the program itself sets: it may have changed them since they
  /// were saved.
  static func restore(_ saved: Saved, leaving programsOwn: [Int32] = []) {
    for (signal, action) in saved.actions where !programsOwn.contains(signal) {
      var action = action
      sigaction(signal, &action, nil)
    }
    wakeDescriptor.store(-1, ordering: .sequentiallyConsistent)
  }

  static func install(waking waker: Waker) {
    // Also initialises both before a handler can run.
    pending.store(0, ordering: .sequentiallyConsistent)
    wakeDescriptor.store(waker.handlerDescriptor, ordering: .sequentiallyConsistent)
    handle(SIGWINCH) { _ in TerminalSignals.note(.windowChanged) }
    handle(SIGTSTP) { _ in TerminalSignals.note(.stopRequested) }
    handle(SIGCONT) { _ in TerminalSignals.note(.continued) }
  }

  static func take(_ flag: Flag) -> Bool {
    let before = pending.bitwiseAnd(~flag.rawValue, ordering: .sequentiallyConsistent).oldValue
    return before & flag.rawValue != 0
  }

  /// Stops this process as its default does, and returns when it goes on.
  static func stop() {
    var ours = sigaction()
    sigaction(SIGTSTP, nil, &ours)
    signal(SIGTSTP, SIG_DFL)
    kill(getpid(), SIGTSTP)
    sigaction(SIGTSTP, &ours, nil)
  }

  private static func note(_ flag: Flag) {
    let error = errno
    pending.bitwiseOr(flag.rawValue, ordering: .sequentiallyConsistent)
    var byte: UInt8 = 1
    _ = write(wakeDescriptor.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = error
  }

  private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, nil)
  }
}
