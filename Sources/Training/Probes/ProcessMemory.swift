import Foundation
import Glibc

/// The resident memory of this process.
final class ProcessMemory: Sendable {
  private let descriptor: Int32
  private let pageBytes = Double(sysconf(Int32(_SC_PAGESIZE)))

  init() {
    descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Resident bytes; NaN where the system does not say.
  func resident() -> Double {
    guard descriptor >= 0 else { return .nan }
    var text = [UInt8](repeating: 0, count: 128)
    let length = pread(descriptor, &text, text.count, 0)
    guard length > 0 else { return .nan }
    let fields = text.prefix(length).split(separator: UInt8(ascii: " "))
    guard fields.count > 1, let pages = Double(String(decoding: fields[1], as: UTF8.self)) else {
      return .nan
    }
    return pages * pageBytes
  }
}
