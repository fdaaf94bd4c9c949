import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct QKClipTests {
  @Test
  func `a head above the threshold comes back to it, and nothing else changes`() throws {
    let model = SmallModel(
      ModelConfiguration(width: 24, layers: 2, heads: 3, context: 8), batch: 4)
    let before = model.loss(LossSettings())
    let first = Array(before.headLogitMax[..<3])
    #expect(before.attentionLogitMax[0] == first.max())
    let sorted = first.sorted()
    let threshold = (sorted[1] + sorted[2]) / 2
    let head = try #require(first.firstIndex(of: sorted[2]))
    let kept = FloatBuffer(count: model.parameters.count)
    kept.copy(from: model.parameters)
    let clip = QKClip(model.configuration)
    let maxima = first + [0, -.infinity, .nan]
    #expect(
      clip.apply(
        to: model.parameters, headLogitMax: maxima, threshold: threshold, frozenBlocks: 1) == 0)
    let clipped = clip.apply(to: model.parameters, headLogitMax: maxima, threshold: threshold)
    #expect(clipped == 1)
    let after = model.loss(LossSettings())
    #expect(abs(after.headLogitMax[head] - threshold) < 1e-4)
    for other in 0..<3 where other != head {
      #expect(after.headLogitMax[other] == first[other])
    }
    let changed = (0..<kept.count).filter { kept[$0] != model.parameters[$0] }.count
    #expect(changed == 2 * 8 * 24)
  }

  @Test(arguments: [1, 2, 3])
  func `the heads' maxima do not depend on the workers`(workers: Int) {
    let alone = SmallModel(SmallModel.dense, batch: 8).lossAndGradients(LossSettings())
    let model = SmallModel(SmallModel.dense, batch: 8, workers: workers)
    #expect(model.lossAndGradients(LossSettings()).headLogitMax == alone.headLogitMax)
  }
}
