import Foundation
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct LearningRateScheduleTests {
  @Test func `the warm-up rises in equal parts from the first update to the peak`() {
    let schedule = LearningRateSchedule(peak: 1e-2, warmup: 100, total: 4000)
    #expect(schedule.rate(step: 0) == 1e-2 / 100)
    #expect(schedule.rate(step: 49) == 1e-2 * 50 / 100)
    #expect(schedule.rate(step: 99) == 1e-2)
    #expect(schedule.rate(step: 100) == 1e-2)
  }

  @Test func `the cosine is halfway in the middle and ends at the minimum`() {
    let schedule = LearningRateSchedule(peak: 1e-2, warmup: 100, total: 4100)
    #expect(abs(schedule.rate(step: 2100) - (1e-2 + 1e-5) / 2) < 1e-15)
    let quarter = 1e-5 + (1e-2 - 1e-5) * (1 + 0.5.squareRoot()) / 2
    #expect(abs(schedule.rate(step: 1100) - quarter) < 1e-15)
    #expect(schedule.rate(step: 4099) > 1e-5)
    #expect(schedule.rate(step: 4099) < 1.001e-5)
    #expect(schedule.rate(step: 4100) == 1e-5)
    #expect(schedule.rate(step: 1_000_000) == 1e-5)
  }

  @Test(arguments: [1e-2, 1e-5, 3e-6, 0])
  func `after the warm-up the rate never rises and never leaves its bounds`(peak: Double) {
    let schedule = LearningRateSchedule(peak: peak, warmup: 10, total: 500)
    for step in 10..<600 {
      #expect(schedule.rate(step: step) <= schedule.rate(step: step - 1))
      #expect(schedule.rate(step: step) >= min(peak, 1e-5))
    }
  }

  @Test func `a run shorter than its warm-up only rises`() {
    let schedule = LearningRateSchedule(peak: 1, warmup: 100, total: 50)
    #expect(schedule.rate(step: 49) == 0.5)
    #expect(schedule.rate(step: 99) == 1)
    #expect(schedule.rate(step: 100) == 1e-5)
    #expect(LearningRateSchedule(peak: 1, warmup: 100, total: 100).rate(step: 99) == 1)
  }

  @Test func `linear falls in equal parts and constant stays`() {
    var schedule = LearningRateSchedule(peak: 1, warmup: 100, total: 1100, shape: .linear)
    #expect(schedule.rate(step: 99) == 1)
    #expect(schedule.rate(step: 100) == 1)
    #expect(abs(schedule.rate(step: 600) - (1 + 1e-5) / 2) < 1e-15)
    #expect(schedule.rate(step: 1100) == 1e-5)
    schedule.shape = .constant
    #expect([99, 100, 600, 1099, 5000].allSatisfy { schedule.rate(step: $0) == 1 })
  }

  @Test func `warm-up, stable, decay stays at the peak until its last steps`() {
    let schedule = LearningRateSchedule(
      peak: 1, warmup: 100, total: 1000, shape: .wsd, decaySteps: 200)
    #expect(schedule.rate(step: 49) == 0.5)
    #expect((99...800).allSatisfy { schedule.rate(step: $0) == 1 })
    #expect(abs(schedule.rate(step: 900) - (1 + 1e-5) / 2) < 1e-15)
    #expect(schedule.rate(step: 999) > 1e-5)
    #expect(schedule.rate(step: 1000) == 1e-5)
  }

  @Test(arguments: LearningRateSchedule.Shape.allCases)
  func `every shape warms up and then never rises`(shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(
      peak: 1e-2, warmup: 20, total: 300, shape: shape, decaySteps: 290)
    for step in 0..<20 { #expect(schedule.rate(step: step) == 1e-2 * Double(step + 1) / 20) }
    for step in 20..<400 {
      #expect(schedule.rate(step: step) <= schedule.rate(step: step - 1))
      #expect(schedule.rate(step: step) >= 1e-5)
    }
  }

  @Test func `without a warm-up the first rate is the peak`() {
    #expect(LearningRateSchedule(peak: 0.5, warmup: 0, total: 10).rate(step: 0) == 0.5)
    #expect(LearningRateSchedule(peak: 0.5, warmup: 0, total: 0).rate(step: 0) == 1e-5)
  }
}
