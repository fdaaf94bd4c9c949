import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct ColumnSummaryTests {
  @Test func `NaN and infinities are counted and never enter the range`() {
    var summary = ColumnSummary()
    for value in [2, Double.nan, -1, .infinity, -.infinity, 5] { summary.add(value) }
    #expect(summary.minimum == -1 && summary.maximum == 5)
    #expect(summary.mean == 2)
    #expect(summary.finiteCount == 3 && summary.nonFiniteCount == 3)
  }

  @Test func `nothing has no mean`() {
    #expect(ColumnSummary().isEmpty)
    #expect(ColumnSummary().mean.isNaN)
    #expect(!ColumnSummary(.nan).isEmpty)
    #expect(ColumnSummary(.nan).mean.isNaN)
  }

  @Test func `adding an empty summary changes nothing`() {
    var summary = ColumnSummary(3)
    summary.add(ColumnSummary())
    #expect(summary == ColumnSummary(3))
  }
}
