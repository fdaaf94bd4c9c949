import Signals
import Telemetry
import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct CSVTests {
  private func table(_ history: RunHistory, _ metrics: [MetricName]) -> [String] {
    var lines = [CSV.header(metrics)]
    CSV.eachRow(of: history, metrics: metrics) { lines.append($0) }
    return lines
  }

  @Test func `a row a step, empty where a metric has no sample`() {
    var history = RunHistory()
    for step in 0..<4 {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 1.5 + Double(step),
            names: step % 2 == 0 ? ["loss", "loss/eval"] : ["loss"],
            values: step % 2 == 0 ? [0.1, .nan] : [1e-20])))
    }
    history.append(
      .column(MetricColumn(name: "attention_logit_max/0", steps: [2], values: [Double(Float(0.1))]))
    )
    #expect(
      table(history, ["loss", "loss/eval", "attention_logit_max/0", "absent"]) == [
        "step,wall_time,loss,loss/eval,attention_logit_max/0,absent",
        "0,1.5,0.1,nan,,",
        "1,2.5,1e-20,,,",
        "2,3.5,0.1,nan,0.1,",
        "3,4.5,1e-20,,,",
      ])
  }

  @Test func `what is not finite is spelt nan, inf and -inf, and every spelling is read`() throws {
    #expect([Double.nan, .infinity, -.infinity].map { CSV.number($0) } == ["nan", "inf", "-inf"])
    let spellings = [
      "nan", "NaN", "NAN", "-nan", "inf", "Inf", "+inf", "Infinity", "INFINITY", "-inf",
      "-Infinity",
    ]
    let rows = spellings.enumerated().map { "\($0),\($1)\n" }
    let run = try Decoding.run(
      TableDecoder(path: "a.csv"), Array(("step,loss\n" + rows.joined()).utf8))
    let values = run.generations[0].columns[0].values
    #expect(
      values.map { CSV.number($0) }
        == spellings.map { spelling in
          let word = spelling.lowercased()
          return word.contains("nan") ? "nan" : word.hasPrefix("-") ? "-inf" : "inf"
        })
  }

  @Test func `the newest generation takes the place of what it supersedes`() {
    var history = RunHistory()
    func append(_ step: Int, _ loss: Double) {
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: ["loss"], values: [loss])))
    }
    for step in 0..<4 { append(step, 1) }
    history.append(.generation(startingAt: 2))
    append(2, 7)
    #expect(
      table(history, ["loss"]) == ["step,wall_time,loss", "0,0.0,1.0", "1,0.0,1.0", "2,0.0,7.0"])
  }

  @Test func `names with commas and quotes are quoted`() {
    #expect(
      CSV.header(["a,b", "say \"x\"", "plain"]) == #"step,wall_time,"a,b","say ""x""",plain"#)
    #expect(table(RunHistory(), ["loss"]) == ["step,wall_time,loss"])
  }
}
