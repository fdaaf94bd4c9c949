import Foundation
import Signals
import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct TaskLawTests {
  /// As near to a rate as a million tries come.
  private func rate(_ value: Double) -> PassRate {
    PassRate(passes: Int((value * 1e6).rounded()), tries: 1_000_000, isReached: false)
  }

  private func law(_ sizes: [Int], _ tasks: [(c: Double, a: Double)]) -> TaskLaw {
    TaskLaw(
      sizes.map { size in
        TaskLaw.Point(
          parameters: size, rates: tasks.map { rate(exp(-$0.c * pow(Double(size), -$0.a))) })
      })
  }

  @Test func `a law is found again, and tells the largest size`() throws {
    let law = law([160_000, 10_000, 40_000, 640_000], [(90, 0.3)])
    #expect(law.points.map(\.parameters) == [10_000, 40_000, 160_000, 640_000])
    #expect(abs(try #require(law.exponent) - 0.3) < 0.01)
    #expect(abs(try #require(law.factor) / 90 - 1) < 0.1)
    let held = try #require(law.heldOut)
    #expect(held.tasks == 1 && held.inside == 1)
    #expect(abs(held.predicted / held.measured - 1) < 0.02)
  }

  @Test func `tasks have laws of their own, whose predictions are averaged`() throws {
    let tasks = [(c: 90.0, a: 0.3), (8.0, 0.15), (400.0, 0.4)]
    let held = try #require(law([10_000, 40_000, 160_000, 640_000], tasks).heldOut)
    #expect(held.tasks == 3 && held.inside == 3)
    #expect(abs(held.predicted / held.measured - 1) < 0.02)
  }

  @Test func `what never passed or always has no place on a law`() {
    let never = PassRate(passes: 0, tries: 100, isReached: false)
    let always = PassRate(passes: 2, tries: 2, isReached: true)
    let law = TaskLaw(
      [1, 2, 3, 4].map { TaskLaw.Point(parameters: $0 * 1000, rates: [never, always]) })
    #expect(law.heldOut == nil)
    #expect(TaskLaw([TaskLaw.Point(parameters: 9, rates: [never])]).exponent == nil)
  }
}
