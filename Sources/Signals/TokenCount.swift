import Telemetry

/// How many tokens a run saw before each of its steps, whatever its batch was changed to on the
/// way.
///
/// The changes are those that led to the run as it is: what was gone back over does not count.
package struct TokenCount: Sendable, Equatable {
  /// From `step` on each step sees `each` tokens; `before` were seen until then.
  private struct Piece: Sendable, Equatable {
    var step: Int
    var before: Double
    var each: Double
  }

  private var pieces: [Piece] = []

  /// Nil where the run does not say how many tokens a step has.
  package init?(_ history: RunHistory) {
    guard let model = history.description?.model else { return nil }
    let changes = history.lineageEvents.filter {
      $0.kind == .set && $0.name == SettingCatalog.batch
    }
    let context = Double(model.context)
    let declared = history.settings.first { $0.name == SettingCatalog.batch }?.value
    let first = changes.isEmpty ? declared : changes[0].before
    let batch = first.map(\.number).flatMap { $0 >= 1 ? $0 : nil } ?? Double(model.batch)
    guard batch * context > 0 else { return nil }
    pieces = [Piece(step: 0, before: 0, each: batch * context)]
    for change in changes {
      guard let batch = change.after?.number, batch >= 1, change.step >= pieces.last?.step ?? 0
      else { continue }
      let before = tokens(before: change.step)
      if pieces.last?.step == change.step { pieces.removeLast() }
      pieces.append(Piece(step: change.step, before: before, each: batch * context))
    }
  }

  /// The tokens of a step at the run's beginning.
  package var firstStep: Double { pieces[0].each }

  package func tokens(before step: Int) -> Double {
    let piece = pieces.last { $0.step <= step } ?? pieces[0]
    return piece.before + Double(step - piece.step) * piece.each
  }

  /// The step before which so many tokens were seen, to the nearest.
  package func step(after tokens: Double) -> Int {
    let piece = pieces.last { $0.before <= tokens } ?? pieces[0]
    let steps = ((tokens - piece.before) / piece.each).rounded()
    return piece.step + Int(min(max(steps, -1e15), 1e15))
  }
}
