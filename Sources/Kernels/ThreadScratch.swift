internal import Foundation

/// Memory of the calling thread for the length of one kernel, kept between calls and freed with
/// the thread: an allocation would cost a small product several per cent.
enum ThreadScratch {
  private static let bytes = 1 << 18

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { free($0) }
    precondition(status == 0, "no thread-local memory left: \(status)")
    return key
  }()

  /// 256 KB, aligned to a page.
  @inline(__always)
  static func base() -> UnsafeMutablePointer<Float> {
    let key = key
    let memory = pthread_getspecific(key) ?? allocate(key)
    return memory.assumingMemoryBound(to: Float.self)
  }

  private static func allocate(_ key: pthread_key_t) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4096)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    pthread_setspecific(key, memory)
    return memory
  }
}
