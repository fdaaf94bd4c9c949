import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct ClipWindowTests {
  @Test func `the share is that of the last hundred steps`() {
    var window = ClipWindow()
    #expect(window.fraction.isNaN)
    window.add(true)
    #expect(window.fraction == 1)
    for _ in 0..<99 { window.add(false) }
    #expect(window.fraction == 0.01)
    window.add(false)
    #expect(window.fraction == 0)
  }
}
