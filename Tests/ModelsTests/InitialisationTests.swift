import Foundation
import Kernels
import Models
import Testing

@Suite(.timeLimit(.minutes(15)))
struct InitialisationTests {
  private let configuration = ModelConfiguration(width: 64, layers: 1, heads: 2, context: 8)

  private func initialised(_ configuration: ModelConfiguration, seed: UInt64) -> FloatBuffer {
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: seed)
    return parameters
  }

  private func values(_ tensor: ParameterTensor, _ parameters: FloatBuffer) -> [Double] {
    (tensor.offset..<tensor.offset + tensor.count).map { Double(parameters[$0]) }
  }

  @Test
  func `every tensor has the deviation of its kind`() {
    let parameters = initialised(configuration, seed: 4)
    for tensor in ParameterLayout(configuration).tensors {
      let values = values(tensor, parameters)
      guard tensor.role.isDecayed else {
        #expect(values.allSatisfy { $0 == 1 })
        continue
      }
      let count = Double(values.count)
      let deviation = (values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
      let expected = 1 / Double(tensor.fanIn).squareRoot()
      // Five standard errors of a deviation.
      #expect(abs(deviation / expected - 1) < 5 / (2 * count).squareRoot(), "\(tensor.name)")
      #expect(abs(values.reduce(0, +) / count) < 5 * expected / count.squareRoot())
      let largest = (values.map(abs).max() ?? 0) / expected
      #expect((largest <= 2 / 0.8796) == (tensor.role != .embedding), "\(tensor.name)")
    }
  }

  @Test
  func `a seed gives the same parameters again and another seed others`() {
    let first = initialised(configuration, seed: 4)
    let again = initialised(configuration, seed: 4)
    let other = initialised(configuration, seed: 5)
    #expect((0..<first.count).allSatisfy { first[$0] == again[$0] })
    #expect((0..<first.count).contains { first[$0] != other[$0] })
  }

  @Test
  func `more layers change no tensor that was there`() throws {
    var deeper = configuration
    deeper.layers = 3
    let (small, large) = (initialised(configuration, seed: 4), initialised(deeper, seed: 4))
    let layout = ParameterLayout(deeper)
    for tensor in ParameterLayout(configuration).tensors {
      let same = try #require(layout[tensor.name])
      #expect(values(tensor, small) == values(same, large), "\(tensor.name)")
    }
  }
}
