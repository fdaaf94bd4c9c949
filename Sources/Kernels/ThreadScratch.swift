internal import Foundation

/// Memory of the calling thread for the length of one kernel, kept between calls and freed with
/// the thread: an allocation would cost a small product several per cent.
enum ThreadScratch {
  /// What most kernels have room in: 256 KB.
  private static let usualCount = 1 << 16
  /// In front, where the count is kept, so that the rest is aligned to a page.
  private static let page = 4096

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { memory in free(memory.map { $0 - page }) }
    precondition(status == 0, "no thread-local memory left: \(status)")
    return key
  }()

  /// Room for 65,536 numbers, aligned to a page.
  @inline(__always)
  static func base() -> UnsafeMutablePointer<Float> {
    let key = key
    let memory = pthread_getspecific(key) ?? allocate(key, usualCount)
    return memory.assumingMemoryBound(to: Float.self)
  }

  /// Room for `count` numbers, aligned to a page.
  static func base(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutableRawPointer(base())
    let room = (memory - page).load(as: Int.self)
    guard count > room else { return memory.assumingMemoryBound(to: Float.self) }
    free(memory - page)
    return allocate(key, count).assumingMemoryBound(to: Float.self)
  }

  private static func allocate(_ key: pthread_key_t, _ count: Int) -> UnsafeMutableRawPointer {
    let bytes = page + count * MemoryLayout<Float>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: page)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    memory.storeBytes(of: count, as: Int.self)
    pthread_setspecific(key, memory + page)
    return memory + page
  }
}
