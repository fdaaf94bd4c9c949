import Formats
import Signals
package import Telemetry

extension Comparison {
  /// The comparison as one JSON object; NaN and infinities stand bare.
  package func json(metrics: [MetricName]) -> String {
    let runs = runs.enumerated().map { index, run in
      JSONLines.object([
        ("name", JSONLines.quoted(run.name)),
        ("steps", "\(run.steps)"),
        ("state", JSONLines.quoted(run.history.state.word)),
        ("changes", "[" + run.changes.map { JSONLines.line($0) }.joined(separator: ",") + "]"),
        ("metrics", JSONLines.object(metrics.compactMap { outcome(of: $0, run: index) })),
      ])
    }
    let differences = differences.map { option, values in
      let values = values.map { $0.map(JSONLines.quoted) ?? "null" }
      return (option, "[" + values.joined(separator: ",") + "]")
    }
    var members = [
      ("runs", "[" + runs.joined(separator: ",") + "]"),
      ("differences", JSONLines.object(differences)),
    ]
    if !seedGroups.isEmpty {
      let groups = seedGroups.map { group(metrics, $0) }
      members.append(("seed_groups", "[" + groups.joined(separator: ",") + "]"))
    }
    return JSONLines.object(members)
  }

  private func group(_ metrics: [MetricName], _ group: Group) -> String {
    let spreads = metrics.compactMap { metric -> (String, String)? in
      let outcomes = outcomes(of: metric)
      let finals = group.members.compactMap { outcomes[$0]?.last }
      guard let spread = Spread(finals) else { return nil }
      let members = [
        ("final_mean", JSONLines.number(spread.mean)),
        ("final_deviation", JSONLines.number(spread.deviation)),
      ]
      return (metric.path, JSONLines.object(members))
    }
    let names = group.members.map { JSONLines.quoted(runs[$0].name) }
    return JSONLines.object([
      ("name", JSONLines.quoted(group.name)), ("runs", "[\(names.joined(separator: ","))]"),
      ("metrics", JSONLines.object(spreads)),
    ])
  }

  private func outcome(of metric: MetricName, run index: Int) -> (String, String)? {
    guard let outcome = runs[index].history[metric].flatMap(Outcome.init) else { return nil }
    var members = [("final", JSONLines.number(outcome.last))]
    for (key, extreme) in [("lowest", outcome.lowest), ("highest", outcome.highest)] {
      guard let extreme else { continue }
      members.append((key, JSONLines.number(extreme.value)))
      members.append((key + "_step", "\(extreme.step)"))
    }
    members.append(("non_finite", "\(outcome.nonFinite)"))
    return (metric.path, JSONLines.object(members))
  }
}
