package import Models
package import Signals
import Training

/// Tries tasks until they are passed.
package struct TaskEvaluation {
  /// What a task came to.
  package struct Outcome: Sendable {
    package let rate: PassRate
    /// How its weak checker judged; nil without one.
    package let resampling: Resampling.Task?
  }

  package let tasks: [TextTask]
  /// r: passes after which a task is left.
  package var passes = 2
  /// K: tries after which it is left.
  package var most = 100_000
  /// Tries that a weak checker judges too.
  package var weakTries = 200
  package var seed: UInt64 = 0

  package init(tasks: [TextTask]) { self.tasks = tasks }

  /// - Throws: ``TaskError``.
  package func outcomes(of engine: InferenceEngine) throws(TaskError) -> [Outcome] {
    var language: LanguageJudge?
    func known() -> LanguageJudge {
      let judge = language ?? LanguageJudge()
      language = judge
      return judge
    }
    var outcomes: [Outcome] = []
    for (number, task) in tasks.enumerated() {
      let judge = try TextJudge(task.check, language: known())
      let weak = try task.weakCheck.map { check throws(TaskError) in
        try TextJudge(check, language: known())
      }
      outcomes.append(
        try outcome(
          of: task, judge: judge, weak: weak, seed: seed &+ UInt64(number) &* 0x9e37_79b9,
          engine: engine))
    }
    return outcomes
  }

  /// Tries are counted in the order of their numbers, whichever was written first: else the quick
  /// ones would count for more.
  private func outcome(
    of task: TextTask, judge: TextJudge, weak: TextJudge?, seed: UInt64, engine: InferenceEngine
  ) throws(TaskError) -> Outcome {
    var sampling = Sampling(prompt: Array(task.prompt.utf8))
    (sampling.tokens, sampling.seed) = (task.tokens, seed)
    let least = weak == nil ? 0 : min(weakTries, most)
    let continuation = sampling.continuation(
      max(least, min(most, 64)), engine: engine)
    var tally = Tally(wanted: passes)
    while tally.tries < most, !tally.isReached || tally.tries < least {
      let numbers = tally.tries..<min(tally.tries + continuation.together, most)
      for sample in continuation.samples(numbers, rule: sampling.rule, seed: seed) {
        guard !tally.isReached || tally.tries < least else { break }
        let isRight = try judge.passes(sample.bytes, after: sampling.prompt)
        var accepted: Bool?
        if let weak, tally.tries < least {
          accepted = try weak.passes(sample.bytes, after: sampling.prompt)
        }
        tally.count(isRight: isRight, isAccepted: accepted)
      }
    }
    return Outcome(rate: tally.rate, resampling: tally.resampling)
  }
}

/// Tries so far.
private struct Tally {
  let wanted: Int
  private(set) var tries = 0
  private var passes = 0
  /// Tries at the last pass that was wanted.
  private var reachedAt: Int?
  /// Of those a weak checker has judged: [right][accepted].
  private var judged = [[0, 0], [0, 0]]

  init(wanted: Int) { self.wanted = wanted }

  var isReached: Bool { reachedAt != nil }

  mutating func count(isRight: Bool, isAccepted: Bool?) {
    tries += 1
    if let isAccepted { judged[isRight ? 1 : 0][isAccepted ? 1 : 0] += 1 }
    guard isRight, reachedAt == nil else { return }
    passes += 1
    if passes == wanted { reachedAt = tries }
  }

  var rate: PassRate {
    PassRate(passes: passes, tries: reachedAt ?? tries, isReached: isReached)
  }

  var resampling: Resampling.Task? {
    let (wrong, right) = (judged[0], judged[1])
    return Resampling.Task(
      right: right[0] + right[1], rightAccepted: right[1], wrong: wrong[0] + wrong[1],
      wrongAccepted: wrong[1])
  }
}
