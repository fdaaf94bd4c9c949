import Formats
import Foundation

/// Starts another process that outlives this one: in a session of its own, without a terminal.
///
/// A process with threads must not fork; `posix_spawn` with POSIX_SPAWN_SETSID is safe.
package enum Detachment {
  /// glibc's POSIX_SPAWN_SETSID, which its headers show to GNU sources alone.
  private static let setSession: Int16 = 0x80
  /// A large checkpoint takes a while to be read.
  private static let usualPatience = 120

  /// Starts `executable` with `arguments`, its own name first, and returns once `hasStarted` says
  /// that it is at work.
  /// - Throws: ``RunError/notDetached(reason:)`` where it cannot be started or ends before;
  ///   ``RunError/detachedUnseen(seconds:)`` where nothing is seen of it for so long.
  package static func spawn(
    _ executable: String, _ arguments: [String], patience seconds: Int? = nil,
    hasStarted: () -> Bool
  ) throws(RunError) {
    let child = try start(executable, arguments)
    let patience = seconds ?? usualPatience
    for _ in 0...patience * 100 {
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG) == 0 else {
        throw .notDetached(reason: "resume it from its last checkpoint")
      }
      if hasStarted() { return collect(child) }
      usleep(10_000)
    }
    collect(child)
    throw .detachedUnseen(seconds: patience)
  }

  /// Waits for the end of `child` beside everything else: a process that has ended and that nobody
  /// has waited for stays in the system's table, in the way of all who wait for any child.
  private static func collect(_ child: pid_t) {
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
  }

  private static func start(
    _ executable: String, _ arguments: [String]
  ) throws(RunError) -> pid_t {
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
    let code = posix_spawn(&child, executable, &actions, &attributes, &words, environ)
    guard code == 0 else { throw .notDetached(reason: FileSystem.systemWords(code)) }
    return child
  }
}
