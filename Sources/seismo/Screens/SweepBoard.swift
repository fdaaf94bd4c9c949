import Dashboard
import Foundation
import Runs
import Sessions
import Signals
import Sweeps
import Synchronization
import Telemetry
import Training

/// What is known of a sweep's cells, gathered from the threads that run them, for its screen.
final class SweepBoard: Sendable {
  /// Points of a running cell's course.
  private static let points = 40

  private struct Content {
    var plan: SweepPlan
    var results: SweepResults
    var cells: [ShownCell]
    var courses: [Int: Series] = [:]
    var clock: CellClock
    var isStale = true
    /// Made anew where more cells have ended than it is of.
    var forecast: (ended: Int, shown: ShownForecast?) = (-1, nil)
    var lastLook = -Double.infinity
    var lines: [String] = []
  }

  private let content: Mutex<Content>

  init(_ plan: SweepPlan) {
    let results = plan.results()
    var clock = CellClock(peak: MachinePeak.gflops(workers: 1))
    for (cell, cost) in zip(plan.cells, plan.costs) {
      guard let result = results.results[cell.number], result.state == .finished else { continue }
      clock.ran(cost, flops: cost.flops, seconds: result.seconds)
    }
    content = Mutex(
      Content(
        plan: plan, results: results, cells: Self.cells(of: plan, results), clock: clock))
  }

  private static func cells(of plan: SweepPlan, _ results: SweepResults) -> [ShownCell] {
    plan.cells.indices.map { index in
      let cell = plan.cells[index]
      var shown = ShownCell(
        number: cell.number, words: cell.words, group: results.group(ofCellAt: index),
        rate: results.rate(ofCellAt: index), seed: cell.options["seed"] ?? "0",
        totalSteps: plan.costs[index].steps)
      if let result = results.results[cell.number] { shown.take(result) }
      return shown
    }
  }

  /// The grid has more cells now.
  func extend(to plan: SweepPlan) {
    content.withLock { content in
      let before = content.cells
      var results = plan.results()
      for cell in content.results.cells {
        if let result = content.results.results[cell.number] { results.take(result, of: cell) }
      }
      content.plan = plan
      content.results = results
      content.cells = Self.cells(of: plan, results)
      for (index, old) in before.enumerated() where !content.cells[index].isOver {
        content.cells[index].goOn(as: old)
      }
      content.isStale = true
    }
  }

  func take(_ news: SweepNews) {
    content.withLock { content in
      switch news {
      case .began(let cell): content.cells[cell.number - 1].state = .running
      case .record(let cell, let record): Self.take(record, of: cell.number - 1, &content)
      case .ended(let cell, let result, _): Self.take(result, of: cell, &content)
      case .left(let cell, let reason):
        content.cells[cell.number - 1].state = .running
        content.cells[cell.number - 1].reason = reason
      }
      content.isStale = true
    }
  }

  private static func take(_ record: RunRecord, of place: Int, _ content: inout Content) {
    guard case .samples(let samples) = record, let loss = samples[MetricCatalog.loss] else {
      return
    }
    content.courses[place, default: Series()].append(step: samples.step, value: loss)
    content.cells[place].loss = loss
    content.cells[place].steps = samples.step + 1
    if let logits = samples[MetricCatalog.attentionLogitMax] {
      content.cells[place].logits = logits
    }
  }

  private static func take(_ result: CellResult, of cell: SweepCell, _ content: inout Content) {
    let place = cell.number - 1
    content.results.take(result, of: cell)
    content.cells[place].take(result)
    content.courses[place] = nil
    guard result.state == .finished else { return }
    let cost = content.plan.costs[place]
    content.clock.ran(cost, flops: cost.flops, seconds: result.seconds)
  }

  /// Looks now and then for what other processes have done in the folder.
  func look(now: Double) {
    content.withLock { content in
      guard now - content.lastLook >= 2 else { return }
      content.lastLook = now
      for cell in content.plan.cells where !content.cells[cell.number - 1].isOver {
        let place = cell.number - 1
        if let result = content.plan.folder.result(of: cell) {
          Self.take(result, of: cell, &content)
          content.isStale = true
        } else if content.courses[place] == nil {
          let isHeld = WriterLock.isHeld(session: content.plan.folder.session(of: cell))
          let state: ShownCell.State = isHeld ? .running : .waiting
          if content.cells[place].state != state { content.isStale = true }
          content.cells[place].state = state
        }
      }
    }
  }

  /// Fills in what is drawn, where it has changed.
  /// - Returns: whether it has.
  func fill(_ state: inout SweepState, isForced: Bool = false) -> Bool {
    content.withLock { content in
      guard content.isStale || isForced else { return false }
      content.isStale = false
      for (place, course) in content.courses {
        content.cells[place].curve = CurveOutline(of: course, mostPoints: Self.points)
      }
      state.cells = content.cells
      state.groups = content.results.groups.map { group in
        ShownGroup(
          parameters: group.parameters, mitigation: group.mitigation, size: group.size,
          curve: group.curve)
      }
      state.forecast = Self.forecast(&content)
      state.remainingSeconds = Self.remaining(content)
      return true
    }
  }

  private static func forecast(_ content: inout Content) -> ShownForecast? {
    let ended = content.results.results.count
    guard ended != content.forecast.ended else { return content.forecast.shown }
    // Of what the results hold alone: no session has to be read.
    let forecast = try? SweepForecast(content.results)
    content.forecast = (ended, forecast.flatMap(\.shown))
    return content.forecast.shown
  }

  private static func remaining(_ content: Content) -> Double {
    let left = content.plan.order.compactMap { place -> Double? in
      let cell = content.cells[place]
      guard !cell.isOver else { return nil }
      let share = 1 - Double(cell.steps) / Double(max(1, cell.totalSteps))
      return share * content.clock.seconds(content.plan.costs[place])
    }
    return CellClock.length(of: left.sorted(by: >), jobs: content.plan.jobs)
  }

  var plan: SweepPlan { content.withLock { $0.plan } }
  var results: SweepResults { content.withLock { $0.results } }
}

extension ShownCell {
  fileprivate var isOver: Bool { state != .waiting && state != .running }

  fileprivate mutating func take(_ result: CellResult) {
    state =
      switch result.state {
      case .finished: .finished
      case .diverged: .diverged
      case .failed: .failed
      case .stopped: .stopped
      }
    (loss, initialLoss, logits) = (result.evalLoss, result.initialLoss, result.attentionLogitMax)
    (steps, reason) = (result.steps, result.reason)
  }

  fileprivate mutating func goOn(as old: ShownCell) {
    (state, loss, logits) = (old.state, old.loss, old.logits)
    (steps, curve, reason) = (old.steps, old.curve, old.reason)
  }
}
