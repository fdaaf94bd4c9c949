import Foundation
import Runs
import Signals
import Sweeps
import Synchronization

/// Takes what a sweep tells on any thread and writes it down in lines.
final class SweepDesk: Sendable {
  private let watcher: ConductedSweep.Watcher
  private let total: Int
  private let state = Mutex(State())

  private struct State {
    var failed: [(SweepCell, CellResult)] = []
    var ended = 0
    var refusal: StandardStream.Refusal?
  }

  init(_ plan: SweepPlan, _ watcher: ConductedSweep.Watcher) {
    self.watcher = watcher
    total = plan.order.count
  }

  /// What keeps lines from being written.
  var refusal: StandardStream.Refusal? { state.withLock { $0.refusal } }
  var failures: Int { state.withLock { $0.failed.count } }

  func take(_ news: SweepNews) {
    switch news {
    case .ended(let cell, let result, let isOwn): end(cell, result, isOwn: isOwn)
    case .left(let cell, let reason): Seismo.report("cell \(cell.number): \(reason)")
    case .began, .record: break
    }
  }

  private func end(_ cell: SweepCell, _ result: CellResult, isOwn: Bool) {
    state.withLock { state in
      state.ended += 1
      if result.state == .failed { state.failed.append((cell, result)) }
      guard isOwn else { return }
      switch watcher {
      case .screen, .silent: break
      case .lines: write(line(cell, result, state.ended), &state)
      case .json: write(result.json, &state)
      }
    }
    guard let reason = result.reason, isOwn else { return }
    Seismo.report("cell \(cell.number)\(cell.words.isEmpty ? "" : " (\(cell.words))"): \(reason)")
  }

  private func write(_ line: String, _ state: inout State) {
    guard state.refusal == nil else { return }
    do throws(StandardStream.Refusal) {
      try StandardStream.output.write(line + "\n")
    } catch {
      state.refusal = error
    }
  }

  private func line(_ cell: SweepCell, _ result: CellResult, _ ended: Int) -> String {
    var parts = ["\(ended)/\(total)", "cell \(cell.number)"]
    if !cell.words.isEmpty { parts.append(cell.words) }
    parts.append(result.state.rawValue)
    if let loss = result.evalLoss {
      parts.append("held-out \(NumberText.compact(loss, digits: 4))")
    }
    if let logit = result.attentionLogitMax { parts.append("logits \(NumberText.compact(logit))") }
    parts.append(NumberText.duration(seconds: result.seconds))
    return parts.joined(separator: "  ")
  }

  /// What lies in the folder, and what failed just now.
  func results(of plan: SweepPlan) -> SweepResults {
    var results = plan.results()
    for (cell, result) in state.withLock({ $0.failed }) where results.results[cell.number] == nil {
      results.take(result, of: cell)
    }
    return results
  }
}
