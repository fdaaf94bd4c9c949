import Signals
import Testing

@Suite(.timeLimit(.minutes(15))) struct CurveOutlineTests {
  @Test func `a short line keeps all its points`() {
    let outline = CurveOutline(of: Series(steps: [3, 5, 9], values: [3, 2, 1]))
    #expect(outline.steps == [3, 5, 9])
    #expect(outline.values == [3, 2, 1])
    #expect(outline.series.lastStep == 9)
    #expect(CurveOutline(of: Series()).isEmpty)
  }

  @Test func `a long line is brought to a few points that lag behind nothing`() {
    let values = (0..<5_000).map { Double($0) }
    let outline = CurveOutline(of: Series(steps: Array(0..<5_000), values: values), mostPoints: 100)
    #expect(outline.steps.count == 100)
    #expect(outline.steps.first == 0 && outline.steps.last == 4_999)
    for index in 2..<98 {
      #expect(abs(outline.values[index] - (Double(index) + 0.5) * 50) < 1)
    }
  }

  @Test func `a stretch without a finite sample stays one, and spoils no other`() {
    let values = (0..<1_000).map { $0 < 600 ? 2 : Double.nan }
    let outline = CurveOutline(of: Series(steps: Array(0..<1_000), values: values), mostPoints: 100)
    #expect(outline.values.prefix(60).allSatisfy { $0 == 2 })
    #expect(outline.values.suffix(40).allSatisfy { $0.isNaN })
  }
}
