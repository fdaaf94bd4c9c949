internal import Foundation

package typealias FloatBuffer = Buffer<Float>

/// A fixed run of zeroed numbers, aligned to a cache line.
package final class Buffer<Element: BitwiseCopyable & Sendable>: Sendable {
  package let count: Int
  /// 0 for memory of the allocator's.
  private let mappedBytes: Int
  // The compiler checks all but what is written through this pointer, which is sound:
  // - it never changes, and the memory is freed with the last reference only;
  // - whoever holds buffers from step to step (`TransformerEngine`, `InferenceEngine`, `Optimizer`,
  //   `Continuation`, `Teacher`, `TrainingRun` and its probes) is not Sendable, so that the compiler
  //   lets one thread at a time reach them; no buffer is static, and runs side by side share none;
  // - what is Sendable with buffers in it is a part of one of those and shared with nobody else:
  //   `Matrix`, `HeadRows`, `PackedMatrix`, `BlockPattern`, `SparseMatrices` and `FoldedArray`;
  //   of passes `PassPlan`, `PassInputs`, `PassGradients`, `SliceMemory`, `PassSums`, `TokenRows`,
  //   `TextRows`, `RotaryPositions`, `ExpertRouting`, `GateHistogram`, `Steering` and
  //   `Distillation`; of writing `InferenceLane` and `Writing`; of updates `Update`, `UpdateJobs`,
  //   `MuonScratch`, a step of `SparseMeZO`, `DynamicSparsity`'s parts, `RandomSubspace` and
  //   `SigmaReparametrisation`; the chunks and shares of a merge;
  // - other threads see them in the jobs of a `WorkerPool.run` alone and in the `concurrentPerform` of
  //   `initialise` and of `deriveAdapters`, for which that thread waits; `Crew` orders their begin and
  //   end with a release and an acquire, Dispatch does so itself. There each job writes the elements of
  //   its own slice, chunk, part, row, tensor, adapter or lane, and none writes what another reads;
  // - what other ranks are sent, or send into it, goes through `memory` on that thread too, which
  //   waits for the exchange before it goes on: ranks of one process have buffers of their own.
  package nonisolated(unsafe) let base: UnsafeMutablePointer<Element>

  package init(count: Int) where Element: ExpressibleByIntegerLiteral {
    self.count = count
    mappedBytes = 0
    base = Self.allocate(count)
    base.initialize(repeating: 0, count: count)
  }

  /// Zeros whose memory is taken page by page, once they are written to: a part that never is costs
  /// nothing.
  package init(untouched count: Int) where Element: ExpressibleByIntegerLiteral {
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    let pages = mmap(
      nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    // Only addresses are taken here, as many as the parameters of a run have or the logits of its
    // teacher, which `TrainingConfiguration.validate` holds below the machine's memory at its largest
    // batch, or as many as a checkpoint has that is being written, whose weights are in memory already.
    // The kernel refuses them where a limit of the account's is lower still: then nothing can go on, and
    // `Self.allocate` ends the program there too.
    guard let pages, pages != MAP_FAILED else { fatalError("no memory for \(bytes) bytes") }
    base = pages.bindMemory(to: Element.self, capacity: max(count, 1))
    mappedBytes = bytes
  }

  /// Gives the whole pages of `range` back, whose numbers are 0 then; of a buffer that was made
  /// untouched.
  package func forget(_ range: Range<Int>) {
    guard mappedBytes > 0, !range.isEmpty else { return }
    let (page, stride) = (Int(sysconf(Int32(_SC_PAGESIZE))), MemoryLayout<Element>.stride)
    let start = (range.lowerBound * stride + page - 1) / page * page
    let end = range.upperBound * stride / page * page
    guard start < end else { return }
    madvise(UnsafeMutableRawPointer(base) + start, end - start, MADV_DONTNEED)
  }

  package init(repeating value: Element, count: Int) {
    self.count = count
    mappedBytes = 0
    base = Self.allocate(count)
    base.initialize(repeating: value, count: count)
  }

  deinit {
    if mappedBytes > 0 {
      munmap(base, mappedBytes)
    } else {
      UnsafeMutableRawPointer(base).deallocate()
    }
  }

  package var bytes: Int { count * MemoryLayout<Element>.stride }

  /// What other processes are sent of it, and send into it.
  package var memory: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: bytes)
  }

  package subscript(index: Int) -> Element {
    get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  package func copy(from other: Buffer<Element>) {
    precondition(other.count == count, "copy of \(other.count) elements into \(count)")
    base.update(from: other.base, count: count)
  }

  package func clear() {
    UnsafeMutableRawPointer(base).initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    let memory = bytes < hugePage ? small(bytes) : large(bytes)
    return memory.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  private static var hugePage: Int { 1 << 21 }

  private static func small(_ bytes: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
  }

  /// In pages of two megabytes where the system has them: thousands of small ones are more than the
  /// processor remembers the places of, which cost a twentieth of a step.
  private static func large(_ bytes: Int) -> UnsafeMutableRawPointer {
    let whole = (bytes + hugePage - 1) / hugePage * hugePage
    let memory = UnsafeMutableRawPointer.allocate(byteCount: whole, alignment: hugePage)
    #if os(Linux)
      madvise(memory, whole, MADV_HUGEPAGE)
    #endif
    return memory
  }
}
