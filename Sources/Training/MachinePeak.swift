import Kernels
import Synchronization

/// What this machine's matrix product can do, measured once by a process that trains many runs.
package enum MachinePeak {
  private static let known = Mutex<[Int: Double]>([:])

  /// GFLOP/s of so many workers at once.
  package static func gflops(workers: Int) -> Double {
    known.withLock { known in
      if let peak = known[workers] { return peak }
      let peak = sgemmPeak(seconds: 0.1, workers: workers)
      known[workers] = peak
      return peak
    }
  }
}
