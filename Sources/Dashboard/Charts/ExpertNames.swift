import Screen
import Signals
import Telemetry

/// One line that names every dead and every overloaded expert by layer and number, those that get
/// next to no gradient, then the largest MaxVio.
struct ExpertNames: Sendable {
  let loads: [LayerLoad]
  /// Those with a gradient below Adam's ε that have enough of the load not to be dead.
  var faded: [String] = []

  /// What the gradients' pane has red, here too: such an expert was hardly chosen in this step.
  static func faded(_ loads: [LayerLoad], _ context: PaneContext) -> [String] {
    let dead = loads.flatMap { load in load.dead.map { "L\(load.layer) E\($0)" } }
    return GradientsPane.belowEpsilon(context).filter { $0.contains(" E") && !dead.contains($0) }
  }

  func line(columns: Int) -> Line {
    let all = max(0, named.map(\.names.count).max() ?? 0)
    let violations = violations
    // Names are worth more than how MaxVio is reckoned.
    for most in stride(from: all, through: 0, by: -1) {
      for violation in violations {
        let line = Line(trouble(atMost: most) + violation)
        if line.columns <= columns { return line }
      }
    }
    return Line(trouble(atMost: 0)).fitted(to: columns)
  }

  private struct Named {
    var word: String
    var role: Role
    var names: [String]
  }

  private var named: [Named] {
    func names(_ experts: (LayerLoad) -> [Int]) -> [String] {
      loads.flatMap { load in experts(load).map { "L\(load.layer) E\($0)" } }
    }
    return [
      Named(word: "dead", role: .trouble, names: names(\.dead)),
      Named(word: "overloaded", role: .warning, names: names(\.overloaded)),
      Named(word: "gradient below ε", role: .warning, names: faded),
    ]
  }

  private func trouble(atMost most: Int) -> [Span] {
    let found = named.filter { !$0.names.isEmpty }
    guard !found.isEmpty else { return [Span("none dead or overloaded", .faint)] }
    let spans = found.map { kind -> [Span] in
      guard most > 0 else { return [Span("\(kind.names.count) \(kind.word)", kind.role)] }
      let more = kind.names.count - most
      let rest = more > 0 ? [Span(" +\(more)", kind.role)] : []
      let names = kind.names.prefix(most).joined(separator: ", ")
      return [Span("\(kind.word) ", .faint), Span(names, kind.role)] + rest
    }
    return Array(spans.joined(separator: [Span(" · ", .faint)]))
  }

  /// What is said of MaxVio, the longest first.
  private var violations: [[Span]] {
    guard let worst = loads.max(by: { $0.balance.maxViolation < $1.balance.maxViolation }) else {
      return [[]]
    }
    let most = NumberText.compact(worst.balance.maxViolation, digits: 2)
    let start = [Span(" · ", .faint), Span("MaxVio \(most)", .text)]
    return [
      start + [Span(" in L\(worst.layer) (largest load over mean, less 1)", .faint)],
      start + [Span(" in L\(worst.layer)", .faint)], start,
    ]
  }
}
