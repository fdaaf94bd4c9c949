import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct QKLayerNormBlendTests {
  @Test func `the step of the switch still has the old logits alone`() {
    var blend = QKLayerNormBlend(isOn: false, blendSteps: 100)
    blend.set(true, at: 150)
    #expect(blend.weight(at: 150) == 0)
    #expect(blend.weight(at: 151) == 0.01)
    #expect(blend.weight(at: 200) == 0.5)
    #expect(blend.weight(at: 249) < 1)
    #expect(blend.weight(at: 250) == 1)
    #expect(blend.weight(at: 9999) == 1)
  }

  @Test func `switching off blends back as slowly`() {
    var blend = QKLayerNormBlend(isOn: true, blendSteps: 10)
    #expect(blend.weight(at: 0) == 1)
    blend.set(false, at: 20)
    #expect(blend.weight(at: 20) == 1)
    #expect(blend.weight(at: 25) == 0.5)
    #expect(blend.weight(at: 30) == 0)
    #expect(blend.isAbsent(at: 30))
  }

  @Test(arguments: 0...10)
  func `a switch in the middle of a blend starts from the weight in force`(passed: Int) {
    var blend = QKLayerNormBlend(isOn: false, blendSteps: 10)
    blend.set(true, at: 0)
    let weight = blend.weight(at: passed)
    blend.set(false, at: passed)
    #expect(blend.weight(at: passed) == weight)
    #expect(blend.weight(at: passed + 10) == 0)
  }

  @Test func `no blend steps switch in the step after`() {
    var blend = QKLayerNormBlend(isOn: false, blendSteps: 0)
    blend.set(true, at: 5)
    #expect(blend.weight(at: 5) == 0)
    #expect(blend.weight(at: 6) == 1)
  }
}
