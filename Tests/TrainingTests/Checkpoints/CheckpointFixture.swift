import Kernels
import Models

@testable import Training

/// A trainer's state, small and with something of every kind in it.
struct SavedState: Codable, Equatable {
  var seed: UInt64 = .max
  var rate = 0.1 + 0.2
  var lastLoss: Double? = .infinity
  var settings = ["z_loss": 1e-4, "lr.multiplier": 1.0 / 3]
  var probe: [UInt8] = [0, 255, 10]
}

extension ModelConfiguration {
  static let dense = ModelConfiguration(width: 8, layers: 2, heads: 2, context: 5)

  static let mixture: ModelConfiguration = {
    var configuration = dense
    configuration.experts = ExpertConfiguration(count: 3, width: 6, active: 2)
    return configuration
  }()
}

extension CheckpointContents {
  /// Every value different, and not a round one.
  init(_ configuration: ModelConfiguration, qkLayerNormWeight: Float, seed: UInt64 = 1) {
    let layout = ParameterLayout(configuration)
    let generator = CounterGenerator(seed: seed, stream: "checkpoint tests")
    let buffers = (0..<3).map { part in
      let buffer = FloatBuffer(count: layout.count)
      for tensor in layout.tensors {
        for index in tensor.offset..<(tensor.offset + tensor.count) {
          let counter = UInt64(part * layout.count + index)
          buffer.base[index] = Float(generator.fraction(at: counter)) - 0.5
        }
      }
      return buffer
    }
    self.init(
      configuration: configuration, layout: layout, qkLayerNormWeight: qkLayerNormWeight,
      parameters: buffers[0], firstMoments: buffers[1], secondMoments: buffers[2])
  }
}

func bits(_ buffer: FloatBuffer) -> [UInt32] {
  UnsafeBufferPointer(start: buffer.base, count: buffer.count).map(\.bitPattern)
}
