import Foundation
import Synchronization

/// Puts the terminal back when the process dies in the middle of a screen: by a signal of its own
/// making, or by `exit` from somewhere deep.
///
/// Swift's backtracer would wait half a minute for a key on a terminal that can't show its
/// question, so these handlers replace it: they restore and let the default end the process. They
/// only `write`, `tcsetattr` and move memory that was laid out before.
package enum CrashGuard {
  /// Everything a handler needs, on the heap and never changed once it is armed.
  struct Record {
    var descriptor: Int32
    var bytes: UnsafeMutableBufferPointer<UInt8>
    var modes: termios
    /// What was printed in the last moment, a trap's message above all, and where it belongs.
    var capturedOutput: Int32
    var originalError: Int32
  }

  /// The address of the record, 0 for none.
  private static let armed = Atomic<Int>(0)
  private static let isInstalled = Atomic<Bool>(false)

  /// Once, before the first screen. The alternate stack, for a stack that overflows, is the calling
  /// thread's; other threads' handlers run on their own stacks.
  package static func install() {
    guard !isInstalled.exchange(true, ordering: .sequentiallyConsistent) else { return }
    // The first use initialises it, which a handler may not.
    _ = armed.load(ordering: .sequentiallyConsistent)
    let size = 64 * 1024
    let stack = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    var alternate = stack_t(ss_sp: stack, ss_flags: 0, ss_size: size)
    sigaltstack(&alternate, nil)
    for signal in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { CrashGuard.handle($0) }
      action.sa_flags = SA_ONSTACK
      sigaction(signal, &action, nil)
    }
    atexit { CrashGuard.restore() }
  }

  static func arm(_ record: Record) {
    let pointer = UnsafeMutablePointer<Record>.allocate(capacity: 1)
    pointer.initialize(to: record)
    release(armed.exchange(Int(bitPattern: pointer), ordering: .sequentiallyConsistent))
  }

  static func disarm() {
    release(armed.exchange(0, ordering: .sequentiallyConsistent))
  }

  private static func release(_ address: Int) {
    guard let pointer = UnsafeMutablePointer<Record>(bitPattern: address) else { return }
    pointer.pointee.bytes.deallocate()
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }

  private static func handle(_ signal: Int32) {
    restore()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_DFL
    sigaction(signal, &action, nil)
    // Blocked until this handler returns; then the default ends the process with this signal.
    raise(signal)
  }

  /// The first of two threads that crash at once does it. The record is not freed: the process
  /// ends.
  private static func restore() {
    let address = armed.exchange(0, ordering: .sequentiallyConsistent)
    guard let record = UnsafeMutablePointer<Record>(bitPattern: address) else { return }
    send(record.pointee.bytes.baseAddress, record.pointee.bytes.count, record.pointee.descriptor)
    tcsetattr(record.pointee.descriptor, TCSANOW, &record.pointee.modes)
    guard record.pointee.originalError >= 0 else { return }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { buffer in
      while true {
        let count = read(record.pointee.capturedOutput, buffer.baseAddress, 1024)
        guard count > 0 else { return }
        send(buffer.baseAddress, count, record.pointee.originalError)
      }
    }
  }

  private static func send(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int, _ target: Int32) {
    guard let bytes else { return }
    var sent = 0
    while sent < count {
      let written = write(target, bytes + sent, count - sent)
      guard written > 0 else { return }
      sent += written
    }
  }
}
