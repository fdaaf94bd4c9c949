import Foundation
package import Signals

/// How a task's success rises with the model's size: rate = exp(−c·N^(−a)), a line of ln(−ln rate)
/// over ln N; one for each task, their predictions averaged.
///
/// - Source: Hu et al. 2023 (2310.03262)
package struct TaskLaw: Sendable {
  /// What a size came to.
  package struct Point: Sendable {
    /// Weights without embedding and unembedding.
    package let parameters: Int
    /// By task.
    package let rates: [PassRate]

    package init(parameters: Int, rates: [PassRate]) {
      (self.parameters, self.rates) = (parameters, rates)
    }

    package var mean: Double {
      rates.reduce(0) { $0 + $1.estimate } / Double(max(rates.count, 1))
    }
  }

  /// What the sizes before say of the largest.
  package struct HeldOut: Sendable {
    package let predicted: Double
    package let measured: Double
    /// Tasks that have a law.
    package let tasks: Int
    /// Of those, how many are predicted within the interval of what was measured.
    package let inside: Int
  }

  /// By size.
  package let points: [Point]
  /// Of the mean over tasks, over all sizes: c and a; nil where they do not tell.
  package let factor: Double?
  package let exponent: Double?
  /// Of tasks with a law alone; nil below three sizes, or where no task has one.
  package let heldOut: HeldOut?

  package init(_ points: [Point]) {
    let sorted = points.sorted { $0.parameters < $1.parameters }
    self.points = sorted
    let line = Self.line(sorted.map { (Double($0.parameters), $0.mean) })
    exponent = line.map { -$0.slope }
    factor = line.map { exp($0.value(at: 0)) }
    heldOut = Self.heldOut(sorted)
  }

  private static func heldOut(_ points: [Point]) -> HeldOut? {
    guard points.count >= 3, let last = points.last else { return nil }
    let before = points.dropLast()
    var (predicted, measured, inside, tasks) = (0.0, 0.0, 0, 0)
    for (task, rate) in last.rates.enumerated() {
      let known = before.map { (Double($0.parameters), $0.rates[task].estimate) }
      guard let line = line(known) else { continue }
      let value = exp(-exp(line.value(at: log(Double(last.parameters)))))
      tasks += 1
      predicted += value
      measured += rate.estimate
      if rate.interval.contains(value) { inside += 1 }
    }
    guard tasks > 0 else { return nil }
    return HeldOut(
      predicted: predicted / Double(tasks), measured: measured / Double(tasks), tasks: tasks,
      inside: inside)
  }

  /// Sizes that always or never passed have no place on it.
  private static func line(_ points: [(size: Double, rate: Double)]) -> LineFit? {
    let known = points.filter { $0.rate > 0 && $0.rate < 1 }
    return LineFit(known.map { (x: log($0.size), y: log(-log($0.rate))) }, least: 2)
  }
}
