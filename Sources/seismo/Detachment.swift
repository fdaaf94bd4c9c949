import Foundation

/// Starts another Seismo that outlives this one: in a session of its own, without a terminal.
///
/// A process with threads must not fork; `posix_spawn` with POSIX_SPAWN_SETSID is safe.
enum Detachment {
  /// glibc's POSIX_SPAWN_SETSID, which its headers show to GNU sources alone.
  private static let setSession: Int16 = 0x80

  /// Returns once `hasStarted` says that the other process is at work.
  /// - Throws: a failure where it cannot be started or ends at once.
  static func spawn(_ arguments: [String], hasStarted: () -> Bool) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGPIPE] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(
      &attributes, setSession | Int16(POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child = pid_t()
    let code = posix_spawn(
      &child, Invocation.executable, &actions, &attributes, &words, environ)
    guard code == 0 else {
      let reason = String(cString: strerror(code))
      throw Failure(.failed, "the run could not go on without a screen: \(reason)")
    }
    try waitFor(child, hasStarted)
  }

  private static func waitFor(_ child: pid_t, _ hasStarted: () -> Bool) throws {
    for _ in 0..<500 {
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG) == 0 else {
        throw Failure(
          .failed, "the run could not go on without a screen: resume it from its last checkpoint")
      }
      if hasStarted() { return }
      usleep(10_000)
    }
  }
}
