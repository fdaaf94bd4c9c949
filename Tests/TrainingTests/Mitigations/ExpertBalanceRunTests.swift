import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct ExpertBalanceRunTests {
  /// The mean over layers and the last 100 steps of a metric with a value a layer.
  private static func late(_ run: TrainedRun, _ name: (Int) -> MetricName) -> Double {
    let values = (0..<2).flatMap { run.values(name($0)).suffix(100) }
    return values.reduce(0, +) / Double(values.count)
  }

  private static func run(
    _ change: @escaping (inout TrainingConfiguration) -> Void
  ) async throws -> TrainedRun {
    try await TrainedRun(.moeTiny) {
      $0.steps = 500
      change(&$0)
    }
  }

  @Test(arguments: [ExpertRouter.topk, .sigmoid])
  func `bias balancing brings the violation under the balance loss's, which is under none's`(
    router: ExpertRouter
  ) async throws {
    let rate = router == .topk ? 0.003 : 0.005
    let none = try await Self.run {
      $0.model.experts?.router = router
      $0.balanceLoss = 0
    }
    let loss = try await Self.run {
      $0.model.experts?.router = router
      $0.balanceLoss = 0.01
    }
    let bias = try await Self.run {
      $0.model.experts?.router = router
      $0.balanceLoss = 0
      $0.biasBalance = rate
    }
    let violations = [none, loss, bias].map { Self.late($0, MetricCatalog.expertMaxViolation) }
    #expect(violations[2] < violations[1] && violations[1] < violations[0], "\(violations)")
    let losses = [none, loss, bias].map { $0.values(MetricCatalog.loss).suffix(100) }
      .map { $0.reduce(0, +) / 100 }
    #expect(losses[2] < losses[1] + 0.03, "\(losses)")
  }

  @Test func `router z-loss holds the log-sum-exp near 0`() async throws {
    let free = try await Self.run { $0.routerZLoss = 0 }
    let held = try await Self.run { $0.routerZLoss = 0.01 }
    let (before, after) = (
      Self.late(free, MetricCatalog.routerZ), Self.late(held, MetricCatalog.routerZ)
    )
    #expect(abs(after) < 0.7 * abs(before), "\(before) \(after)")
  }

  @Test func `a tight capacity drops, and less once the loads are balanced`() async throws {
    let run = try await Self.run { $0.capacity = 1 }
    let dropped = (0..<2).map { run.values(MetricCatalog.tokensDropped(layer: $0)) }
    let early = dropped.flatMap { $0.prefix(20) }.reduce(0, +) / 40
    #expect(early > 0.05 && early < 1, "\(early)")
    let late = Self.late(run, MetricCatalog.tokensDropped)
    #expect(late < early, "\(late) \(early)")
  }
}
