import Foundation
package import Models
import Signals
import Sweeps
import Synchronization
import Telemetry
import Training

/// What the methods of fine-tuning come to on the same data, each with several seeds.
///
/// A seed decides the order of the data and how an adapter begins. The runs are made one after the
/// other, each with all workers, and recorded like any other in a folder of their own.
package struct MethodComparison: Sendable {
  package let methods: [String]
  package let seeds: [Int]
  private let options: [String: String]
  private let folder: String

  /// What one run came to.
  package struct Outcome: Sendable, Equatable {
    package let method: String
    package let seed: Int
    /// The held-out loss at the start and at the end, nats a token.
    package let firstLoss: Double
    package let loss: Double
    /// The numbers that are trained.
    package let parameters: Int
    /// What the model, its passes and its update take.
    package let bytes: Int
    /// Of all steps together, those of the estimating phase included.
    package let seconds: Double
    /// Nil for a method without.
    package let estimating: EstimatingCost?
  }

  /// What the estimating phase of a method that prunes took; the rest of it is the smaller model's.
  package struct EstimatingCost: Sendable, Equatable {
    package let seconds: Double
    package let bytes: Int
  }

  /// All there is to choose from: the methods, and after them those that prune.
  package static let methods =
    RunOptionCatalog.methods + prunable.map { $0 + prunes }

  /// Those of them that there are for a model: heads are cut out of Persimmon's layers alone.
  package static func methods(for model: ModelConfiguration) -> [String] {
    model.isAll(.persimmon) ? methods : RunOptionCatalog.methods
  }

  private static let prunable = AdapterMethod.allCases.filter(\.isPrunable).map(\.rawValue)
  private static let prunes = "+light"

  /// - Parameters:
  ///   - methods: in the order of the table.
  ///   - seeds: of each method.
  ///   - options: those of all runs, by long name, with the base.
  ///   - folder: where the runs are recorded.
  /// - Throws: what is wrong with any of the runs, before one begins.
  package init(
    methods: [String], seeds: [Int], options: [String: String], folder: String
  ) throws {
    (self.methods, self.seeds, self.options, self.folder) = (methods, seeds, options, folder)
    for method in methods { _ = try plan(method, seed: seeds.first ?? 0) }
  }

  private func plan(_ method: String, seed: Int) throws -> RunPlan {
    var own = options
    let isPruning = method.hasSuffix(Self.prunes)
    let trained = isPruning ? String(method.dropLast(Self.prunes.count)) : method
    (own["method"], own["seed"]) = (trained, "\(seed)")
    if isPruning, own["light"] == nil {
      let steps = own["steps"].flatMap(Int.init) ?? 1000
      own["light"] = "\(RunOptionCatalog.usualLight(steps: steps))"
    }
    // An option of one method's adapters is nothing to the others'.
    let isDecayed = AdapterMethod(rawValue: trained)?.isDecayed != false
    for (name, isKnown) in [
      ("rank", trained != RunOptionCatalog.fullMethod),
      ("alpha", AdapterMethod(rawValue: trained)?.hasAlpha == true),
      ("decay", isDecayed), ("weight-decay", isDecayed),
      ("light", isPruning), ("light-trunk", isPruning), ("light-modules", isPruning),
      ("light-ranks", isPruning),
    ] where !isKnown { own[name] = nil }
    if own["eval-every"] == "0" { own["eval-every"] = nil }
    var person = UserConfiguration.found()
    person.onAlarm = nil
    var plan = try RunPlan(
      options: own, session: "\(folder)/\(method)-seed\(seed).seismo", person: person)
    plan.monitorsMachine = false
    plan.isOpenToOthers = false
    return plan
  }

  /// Makes all runs; `tell` is given each outcome as it comes, and `started` each run as it begins.
  /// - Returns: the outcomes, fewer where one of the runs was stopped.
  /// - Throws: what is wrong with a run, ``RunError/comparisonLost(method:seed:)`` for one that
  ///   diverged.
  package func run(
    started: (LiveRun) -> Void = { _ in }, tell: (Outcome) throws -> Void = { _ in }
  ) throws -> [Outcome] {
    var outcomes: [Outcome] = []
    for seed in seeds {
      for method in methods {
        guard let outcome = try outcome(method, seed: seed, started) else { return outcomes }
        outcomes.append(outcome)
        try tell(outcome)
      }
    }
    return outcomes
  }

  /// Nil for a run that was stopped.
  private func outcome(
    _ method: String, seed: Int, _ started: (LiveRun) -> Void
  ) throws -> Outcome? {
    let plan = try plan(method, seed: seed)
    let tally = TallyBox(warmup: plan.configuration.warmup)
    let run = try LiveRun(plan: plan, sweeps: nil) { record in
      if case .samples(let samples) = record { tally.take(samples) }
    }
    started(run)
    run.start()
    let end = try run.close(run.waitForEnd())
    if case .failed(let reason) = end.outcome {
      throw RunError.comparisonLost(method: method, seed: seed, reason: reason)
    }
    guard end.outcome != .stopped else { return nil }
    let result = tally.result
    guard end.outcome == .finished, let loss = result.finalEvalLoss else {
      throw RunError.comparisonLost(method: method, seed: seed, reason: "it diverged")
    }
    let estimating = tally.estimating
    return Outcome(
      method: method, seed: seed, firstLoss: result.initialLoss ?? .nan, loss: loss,
      parameters: run.description.model?.parameters ?? 0, bytes: run.memoryBytes,
      seconds: result.stepSeconds + (estimating?.seconds ?? 0), estimating: estimating)
  }
}

/// A tally that a run's queue fills.
private final class TallyBox: Sendable {
  private let tally: Mutex<CellTally>
  private let cost = Mutex<MethodComparison.EstimatingCost?>(nil)

  init(warmup: Int) { tally = Mutex(CellTally(warmup: warmup)) }

  func take(_ samples: StepSamples) {
    tally.withLock { $0.take(samples) }
    guard let seconds = samples[MetricCatalog.lightSeconds],
      let bytes = samples[MetricCatalog.lightBytes]
    else { return }
    let told = MethodComparison.EstimatingCost(seconds: seconds, bytes: Int(bytes))
    cost.withLock { $0 = told }
  }

  var result: CellTally { tally.withLock { $0 } }
  var estimating: MethodComparison.EstimatingCost? { cost.withLock { $0 } }
}

/// A method's outcomes together.
package struct MethodSummary: Sendable, Equatable {
  package let method: String
  package let parameters: Int
  package let bytes: Int
  /// The median of the seeds'.
  package let seconds: Double
  /// Of the run that has these seconds; nil for a method without.
  package let estimating: MethodComparison.EstimatingCost?
  /// By seed.
  package let losses: [Double]

  package var loss: Double { losses.reduce(0, +) / Double(losses.count) }

  /// The standard error of ``loss``; nil for one seed.
  package var error: Double? {
    guard losses.count > 1 else { return nil }
    let squares = losses.reduce(0) { $0 + ($1 - loss) * ($1 - loss) }
    return (squares / Double(losses.count - 1) / Double(losses.count)).squareRoot()
  }

  /// By method, in the order in which they come.
  package static func all(_ outcomes: [MethodComparison.Outcome]) -> [MethodSummary] {
    var methods: [String] = []
    for outcome in outcomes where !methods.contains(outcome.method) {
      methods.append(outcome.method)
    }
    return methods.map { method in
      let own = outcomes.filter { $0.method == method }
      let middle = own.sorted { $0.seconds < $1.seconds }[own.count / 2]
      return MethodSummary(
        method: method, parameters: own[0].parameters, bytes: own[0].bytes,
        seconds: middle.seconds, estimating: middle.estimating, losses: own.map(\.loss))
    }
  }
}
