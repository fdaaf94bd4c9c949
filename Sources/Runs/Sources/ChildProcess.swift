import Formats
import Foundation
import Glibc

/// A program that was started, with the descriptors it was given.
package final class ChildProcess {
  package enum End: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)

    /// As a shell gives it.
    package var code: Int32 {
      switch self {
      case .exited(let code): code
      case .signalled(let number): 128 + number
      }
    }
  }

  package let number: Int32
  private var end: End?
  private let leadsGroup: Bool

  /// Starts the program that `words` begin with, looked for on the path, with copies of these
  /// descriptors for its standard ones; nil leaves it this process's own. Where it leads a group, what a terminal sends to this process is
  /// not sent to it, and signals go to all that it starts.
  /// - Throws: ``RunError/notStarted(command:reason:)``.
  package init(
    _ words: [String], input: CInt? = nil, output: CInt? = nil, errors: CInt? = nil,
    leadsGroup: Bool = false
  ) throws(RunError) {
    self.leadsGroup = leadsGroup
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, standard) in [
      (input, STDIN_FILENO), (output, STDOUT_FILENO), (errors, STDERR_FILENO),
    ] {
      if let descriptor { posix_spawn_file_actions_adddup2(&actions, descriptor, standard) }
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let group = leadsGroup ? Int16(POSIX_SPAWN_SETPGROUP) : 0
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK) | group)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var number = pid_t()
    let code = posix_spawnp(&number, words.first ?? "", &actions, &attributes, &arguments, environ)
    guard code == 0 else {
      throw .notStarted(command: words.first ?? "", reason: FileSystem.systemWords(code))
    }
    self.number = number
  }

  /// How it ended; nil while it runs.
  package func poll() -> End? { wait(WNOHANG) }

  /// Waits for its end.
  package func wait() -> End { wait(0) ?? .exited(0) }

  private func wait(_ options: Int32) -> End? {
    if let end { return end }
    var status: Int32 = 0
    var found = waitpid(number, &status, options)
    while found < 0, errno == EINTR { found = waitpid(number, &status, options) }
    guard found != 0 else { return nil }
    let signal = status & 0x7f
    end = found < 0 ? .exited(0) : signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
    return end
  }

  /// Sends it a signal, unless it has ended.
  package func send(_ signal: Int32) {
    if poll() == nil { kill(leadsGroup ? -number : number, signal) }
  }
}
