import Testing

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionOrderTests {
  @Test func `a list is ordered by what is asked, what has no number last`() {
    let figures: [(name: String, loss: Double?, steps: Int, date: Double, bytes: Int)] = [
      ("b", 2, 5, 1, 30), ("a", nil, 9, 3, 10), ("d", .nan, 1, 2, 20), ("c", 1, 9, 3, 10),
    ]
    let summaries = figures.map { figure in
      var summary = SessionSummary(path: "/nowhere/\(figure.name).seismo")
      summary.newest.smoothedLoss = figure.loss
      summary.steps = figure.steps
      summary.lastWritten = figure.date
      summary.bytes = figure.bytes
      return summary
    }
    func names(_ order: SessionSummary.Order) -> String {
      summaries.sorted(by: order).map(\.name).joined()
    }
    #expect(names(.loss) == "cbad")
    #expect(names(.steps) == "acbd")
    #expect(names(.date) == "acdb")
    #expect(names(.size) == "bdac")
    #expect(names(.name) == "abcd")
  }
}
