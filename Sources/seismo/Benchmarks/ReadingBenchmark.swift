import Dashboard
import Dispatch
import Foundation
import Screen
import Sessions
import Signals
import Telemetry

/// Times what a viewer does with a recording: open it, look at any stretch, move through it.
struct ReadingBenchmark {
  private static let rounds = 200
  let path: String

  func run() throws -> [String] {
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "bench", path: path),
      size: Size(columns: 120, rows: 40))
    var history = RunHistory()
    let reader = try SessionReader(path: path)
    let opening = try timed { history = try reader.history() }
    _ = update(&state, .recordingOpened(history))
    state.playback = Playback(step: history.lastStep ?? 0)
    let first = timed { _ = view(state) }
    let recorded = state.recordedSteps
    let scrubs = (0..<Self.rounds).map { _ in
      state.playback?.jump(to: Int.random(in: recorded))
      return timed { _ = view(state) }
    }
    let zooms = (0..<Self.rounds).map { _ in
      state.playback?.jump(to: recorded.upperBound)
      let width = Int(pow(Double(recorded.count), Double.random(in: 0.2...1)))
      let start = Int.random(in: 0...max(0, recorded.upperBound - width))
      state.viewport.zoom = .fixed(start..<start + width)
      return timed { _ = view(state) }
    }
    state.viewport.zoom = .last(2000)
    var step = recorded.upperBound / 2
    let plays = (0..<Self.rounds).map { _ in
      step = min(step + 100, recorded.upperBound)
      state.playback?.jump(to: step)
      return timed { _ = view(state) }
    }
    return [
      line("open", [opening]), line("first frame in it", [first]),
      line("scrub, all steps shown", scrubs), line("zoom to any window", zooms),
      line("play, 2000 steps shown", plays), "peak memory: \(Self.peakMemory()) MB",
    ]
  }

  private func timed(_ body: () throws -> Void) rethrows -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    try body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
  }

  private func line(_ name: String, _ times: [Double]) -> String {
    let sorted = times.sorted()
    let rank = { (share: Double) in sorted[Int(share * Double(sorted.count - 1))] }
    return String(
      format: "%@: median %.2f ms, 19 in 20 within %.2f, longest %.2f", name, rank(0.5),
      rank(0.95), rank(1))
  }

  private static func peakMemory() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024 / 1_000_000
  }
}
