internal import COpenBLAS
internal import Dispatch

/// The matrix library underneath: its bits depend on the core type it chose, so a run records it.
package enum BLAS {
  package static var coreName: String { String(cString: openblas_get_corename()) }

  /// Such as `OpenBLAS 0.3.21`.
  package static var version: String {
    let words = String(cString: openblas_get_config()).split(separator: " ")
    return words.prefix(2).joined(separator: " ")
  }

  /// One serial library a worker beats its own threads here, and keeps sums in one order.
  static let isSerial: Bool = {
    openblas_set_num_threads(1)
    return true
  }()
}

/// C = A·Bᵀ by the library: the judge of our own product, and the measure of this machine.
package func blasMultiply(_ a: Matrix, transposed b: Matrix, into c: Matrix) {
  assert(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
  cblas_sgemm(
    CblasRowMajor, CblasNoTrans, CblasTrans,
    blasint(a.rows), blasint(b.rows), blasint(a.columns), 1,
    a.base, blasint(a.stride), b.base, blasint(b.stride), 0, c.base, blasint(c.stride))
}

/// Measures what the matrix library reaches on this machine: GFLOP/s at 1024³, a serial product a
/// worker, added up over the workers.
package func sgemmPeak(seconds: Double, workers: Int) -> Double {
  let size = 1024
  let pool = WorkerPool(workers: workers)
  let operands = FloatBuffer(repeating: 0.5, count: workers * 3 * size * size)
  let rates = Buffer<Double>(count: workers)
  pool.run(jobs: workers) { job, _ in
    let part = { (index: Int) in
      Matrix(operands, offset: (job * 3 + index) * size * size, rows: size, columns: size)
    }
    blasMultiply(part(0), transposed: part(1), into: part(2))
    let begin = DispatchTime.now().uptimeNanoseconds
    var times: [UInt64] = []
    var now = begin
    while Double(now - begin) < seconds * 1e9 {
      let start = now
      blasMultiply(part(0), transposed: part(1), into: part(2))
      now = DispatchTime.now().uptimeNanoseconds
      times.append(now - start)
    }
    // The median: other programs' turns on this core are not the product's.
    let median = Double(times.sorted()[times.count / 2])
    rates[job] = 2 * Double(size * size * size) / median
  }
  return (0..<workers).reduce(0) { $0 + rates[$1] }
}
