import Synchronization

/// The chunks that were looked into last, of all columns of a recording.
package final class ChunkCache: Sendable {
  private struct Key: Hashable {
    let column: Int
    let chunk: Int
  }

  private struct Shelves {
    var columns = 0
    /// What was asked for lately, and what was before that: when the first is full it becomes the
    /// second, and what nobody asks for in the meantime goes.
    var recent: [Key: ArchivedColumn.Samples] = [:]
    var older: [Key: ArchivedColumn.Samples] = [:]
  }

  private let capacity: Int
  private let shelves = Mutex(Shelves())

  /// - Parameter capacity: chunks that are kept at most; one takes some 8 KB.
  package init(capacity: Int = 2048) {
    self.capacity = capacity
  }

  /// A number that no other column of this cache has.
  func newColumn() -> Int {
    shelves.withLock { shelves in
      shelves.columns += 1
      return shelves.columns
    }
  }

  func samples(
    of column: Int, chunk: Int, read: () -> ArchivedColumn.Samples
  ) -> ArchivedColumn.Samples {
    let key = Key(column: column, chunk: chunk)
    let known = shelves.withLock { $0.recent[key] ?? $0.older[key] }
    let samples = known ?? read()
    shelves.withLock { shelves in
      shelves.recent[key] = samples
      guard shelves.recent.count > capacity / 2 else { return }
      shelves.older = shelves.recent
      shelves.recent = [:]
    }
    return samples
  }
}
