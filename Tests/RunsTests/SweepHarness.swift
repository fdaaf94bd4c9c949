import Foundation
import Runs
import Sweeps
import Synchronization
import Telemetry

/// Sweeps of small models in a folder of their own.
struct SweepHarness {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "sweep-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// A model that takes no time.
  private static let small = [
    "preset": "tiny", "width": "16", "layers": "1", "context": "16", "batch": "4", "steps": "30",
    "eval-every": "10", "eval-windows": "4", "warmup": "5",
  ]

  func plan(
    _ given: [String: String], in name: String = "s", jobs: Int = 2,
    selection: CellSelection = .all,
    checkpointSeconds: Double = 0, stale: Double? = nil, halving: Int? = nil
  ) throws -> SweepPlan {
    let options = Self.small.merging(given) { _, given in given }
    let place = SweepFolder(path: folder.appending(path: name).path)
    let grid = try place.adopt(Grid([GridTable(options.mapValues { [$0] })]), extending: false)
    return try SweepPlan(
      folder: place, grid: grid, selection: selection, jobs: jobs,
      checkpointSeconds: checkpointSeconds, stale: stale, halving: halving)
  }

  /// What a sweep told.
  final class Log: Sendable {
    let news = Mutex<[SweepNews]>([])
    let onRecord: @Sendable (SweepCell, RunRecord) -> Void

    init(onRecord: @escaping @Sendable (SweepCell, RunRecord) -> Void = { _, _ in }) {
      self.onRecord = onRecord
    }

    func take(_ item: SweepNews) {
      if case .record(let cell, let record) = item { return onRecord(cell, record) }
      news.withLock { $0.append(item) }
    }

    var own: [CellResult] {
      news.withLock { news in
        news.compactMap { if case .ended(_, let result, true) = $0 { result } else { nil } }
      }
    }

    var left: [String] {
      news.withLock { news in
        news.compactMap { if case .left(_, let reason) = $0 { reason } else { nil } }
      }
    }
  }

  @discardableResult
  func run(_ plan: SweepPlan) -> Log {
    let log = Log()
    SweepRun(plan) { log.take($0) }.run()
    return log
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
