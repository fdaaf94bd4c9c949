import Formats
import Foundation
import Runs
import Signals
import Sweeps

/// How often tasks were passed, as lines and as JSON.
struct TaskReport {
  let tasks: [TextTask]
  let outcomes: [TaskEvaluation.Outcome]

  private static let tries = [1, 2, 3, 5, 10, 20, 50, 100]

  private var resampling: Resampling? { Resampling(outcomes.compactMap(\.resampling)) }
  private var mean: Double {
    outcomes.reduce(0) { $0 + $1.rate.estimate } / Double(max(outcomes.count, 1))
  }

  var lines: [String] {
    let rows = zip(tasks, outcomes).map { task, outcome in
      let rate = outcome.rate
      let name = String(JSONLines.quoted(task.prompt).prefix(36))
      return name.padding(toLength: 36, withPad: " ", startingAt: 0)
        + "  \(rate.words)  \(rate.passes) of \(rate.tries)"
    }
    return rows + ["\(outcomes.count) tasks, mean rate \(Self.compact(mean))"] + resamplingLines
  }

  private static func compact(_ value: Double) -> String { NumberText.compact(value, digits: 3) }

  private var resamplingLines: [String] {
    guard let resampling else { return [] }
    let head = "tries until the weak check accepts: right, wrongly accepted"
    let rows = Self.tries.map {
      "\($0)".padding(toLength: 5, withPad: " ", startingAt: 0)
        + Self.compact(resampling.accuracy(tries: $0)) + "  "
        + Self.compact(resampling.falsePositives(tries: $0))
    }
    let best = [1.0, 4.0].map { cost in
      let tries = resampling.bestTries(falsePositiveCost: cost)
      return "\(tries.map(String.init) ?? "no end of") tries at \(Self.compact(cost))"
    }
    return [head] + rows + [
      "no more than \(Self.compact(resampling.ceiling)) is right however often; worth their cost: "
        + best.joined(separator: ", ") + " right answers a wrong one"
    ]
  }

  var json: String {
    let entries = zip(tasks, outcomes).map { task, outcome in
      var members = [("prompt", JSONLines.quoted(task.prompt))] + outcome.rate.members
      if let weak = outcome.resampling {
        members += [
          ("right", JSONLines.number(weak.right)),
          ("completeness", JSONLines.number(weak.completeness)),
          ("soundness", JSONLines.number(weak.soundness)),
        ]
      }
      return JSONLines.object(members)
    }
    var members = [
      ("tasks", "[\(entries.joined(separator: ","))]"), ("mean", JSONLines.number(mean)),
    ]
    if let resampling { members.append(("resampling", Self.json(resampling))) }
    return JSONLines.object(members)
  }

  private static func json(_ resampling: Resampling) -> String {
    let curve = tries.map {
      JSONLines.object([
        ("tries", "\($0)"), ("accuracy", JSONLines.number(resampling.accuracy(tries: $0))),
        ("false_positives", JSONLines.number(resampling.falsePositives(tries: $0))),
      ])
    }
    let best = [1.0, 4.0].map { cost in
      let tries = resampling.bestTries(falsePositiveCost: cost)
      return "{\"cost\":\(cost),\"tries\":\(tries.map(String.init) ?? "null")}"
    }
    return JSONLines.object([
      ("ceiling", JSONLines.number(resampling.ceiling)),
      ("curve", "[\(curve.joined(separator: ","))]"),
      ("best_tries", "[\(best.joined(separator: ","))]"),
    ])
  }
}

extension PassRate {
  /// `0.0123 (0.004 to 0.03)`
  fileprivate var words: String {
    let ends = [interval.lowerBound, interval.upperBound].map {
      NumberText.compact($0, digits: 2)
    }
    return "\(NumberText.compact(estimate, digits: 3)) (\(ends[0]) to \(ends[1]))"
  }

  fileprivate var members: [(String, String)] {
    [
      ("rate", JSONLines.number(estimate)), ("low", JSONLines.number(interval.lowerBound)),
      ("high", JSONLines.number(interval.upperBound)), ("passes", "\(passes)"),
      ("tries", "\(tries)"),
    ]
  }
}

/// How tasks are passed over a sweep's sizes.
struct TaskLawReport {
  let law: TaskLaw

  init(_ law: TaskLaw) { self.law = law }

  private static func compact(_ value: Double) -> String { NumberText.compact(value, digits: 3) }

  var lines: [String] {
    let rows = law.points.map {
      "\($0.parameters) parameters: mean rate \(Self.compact($0.mean)) of \($0.rates.count) tasks"
    }
    var lines = rows
    if let factor = law.factor, let exponent = law.exponent {
      lines.append(
        "rate = exp(-c N^-a) with c \(Self.compact(factor)), a \(Self.compact(exponent))")
    } else {
      lines.append("no law: too few sizes with a rate between 0 and 1")
    }
    if let held = law.heldOut {
      lines.append(
        "the largest from the others, \(held.tasks) tasks: predicted \(Self.compact(held.predicted)), "
          + "measured \(Self.compact(held.measured)), \(held.inside) of \(held.tasks) within their "
          + "intervals")
    }
    return lines
  }

  var json: String {
    let points = law.points.map { point in
      JSONLines.object([
        ("parameters", "\(point.parameters)"), ("mean", JSONLines.number(point.mean)),
        ("rates", "[\(point.rates.map { JSONLines.object($0.members) }.joined(separator: ","))]"),
      ])
    }
    let held = law.heldOut.map {
      JSONLines.object([
        ("predicted", JSONLines.number($0.predicted)), ("measured", JSONLines.number($0.measured)),
        ("tasks", "\($0.tasks)"), ("inside", "\($0.inside)"),
      ])
    }
    return JSONLines.object([
      ("points", "[\(points.joined(separator: ","))]"),
      ("factor", law.factor.map { JSONLines.number($0) } ?? "null"),
      ("exponent", law.exponent.map { JSONLines.number($0) } ?? "null"),
      ("held_out", held ?? "null"),
    ])
  }
}
