import Foundation
import Kernels
import Models
import Testing

@testable import Training

/// What is drawn from logits, and texts that are written from them.
@Suite(.timeLimit(.minutes(15)))
struct SamplingTests {
  private func bytes(
    _ rule: SamplingRule, _ logits: [Float], draws: Int = 4000, seed: UInt64 = 5
  ) -> [Int] {
    let (scratch, generator) = (
      FloatBuffer(count: 256), CounterGenerator(seed: seed, stream: "tests")
    )
    var counts = Array(repeating: 0, count: 256)
    logits.withUnsafeBufferPointer { logits in
      for draw in 0..<draws {
        let fraction = generator.fraction(at: UInt64(draw))
        counts[Int(rule.choose(logits, draw: fraction, scratch: scratch))] += 1
      }
    }
    return counts
  }

  /// Five likely bytes, the rest beyond reach.
  private static let logits: [Float] = {
    var logits = Array(repeating: Float(-100), count: 256)
    for (byte, weight) in [(3, 1.0), (70, 2), (71, 4), (200, 1), (255, 8)] {
      logits[byte] = Float(log(weight))
    }
    return logits
  }()

  /// χ² against these weights, of which four can be chosen freely.
  private func chiSquare(_ counts: [Int], _ weights: [Int: Double]) -> Double {
    let (draws, sum) = (counts.reduce(0, +), weights.values.reduce(0, +))
    return weights.reduce(0) { total, weight in
      let expected = Double(draws) * weight.value / sum
      let difference = Double(counts[weight.key]) - expected
      return total + difference * difference / expected
    }
  }

  @Test func `frequencies are those of the softmax, at any temperature`() {
    // 23.5 is passed by one draw of χ² with four degrees of freedom in 10,000.
    let plain: [Int: Double] = [3: 1, 70: 2, 71: 4, 200: 1, 255: 8]
    #expect(chiSquare(bytes(SamplingRule(), Self.logits), plain) < 23.5)
    let cool = bytes(SamplingRule(temperature: 0.5), Self.logits)
    #expect(chiSquare(cool, plain.mapValues { $0 * $0 }) < 23.5)
    #expect(chiSquare(cool, plain) > 100)
  }

  @Test func `no temperature is the largest logit, the lowest byte of equals`() {
    #expect(bytes(SamplingRule(temperature: 0), Self.logits, draws: 9)[255] == 9)
    var even = Array(repeating: Float(0), count: 256)
    (even[9], even[30]) = (2, 2)
    #expect(bytes(SamplingRule(temperature: 0), even, draws: 9)[9] == 9)
  }

  @Test func `top-k keeps so many and their ties, top-p the least that has the share`() {
    let kept = { (rule: SamplingRule) in
      bytes(rule, Self.logits).enumerated().filter { $0.element > 0 }.map(\.offset)
    }
    #expect(kept(SamplingRule(topK: 1)) == [255])
    #expect(kept(SamplingRule(topK: 3)) == [70, 71, 255])
    #expect(kept(SamplingRule(topK: 4)) == [3, 70, 71, 200, 255])
    // Of 16: 8 is a half, 12 three quarters, 14 seven eighths.
    #expect(kept(SamplingRule(topP: 0.4)) == [255])
    #expect(kept(SamplingRule(topP: 0.7)) == [71, 255])
    #expect(kept(SamplingRule(topP: 0.76)) == [70, 71, 255])
    #expect(kept(SamplingRule(topP: 0.9)) == [3, 70, 71, 255])
    #expect(kept(SamplingRule(topP: 1)) == [3, 70, 71, 200, 255])
    // The temperature comes first: at ½ the largest has 64 of 86.
    #expect(kept(SamplingRule(temperature: 0.5, topP: 0.7)) == [255])
  }

  private func engine(_ configuration: ModelConfiguration, workers: Int = 1) -> InferenceEngine {
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 3)
    for index in 0..<layout.count { parameters[index] *= 2 }
    return InferenceEngine(
      configuration: configuration, settings: LossSettings(), parameters: parameters,
      pool: WorkerPool(workers: workers))
  }

  private static let dense = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 24)
  private static let mixture: ModelConfiguration = {
    var configuration = dense
    configuration.experts = ExpertConfiguration(count: 3, width: 6, active: 2)
    return configuration
  }()

  private static let learned: ModelConfiguration = {
    var configuration = dense
    configuration.setArchitecture(.gpt2)
    configuration.context = 8
    return configuration
  }()

  @Test func `a text that has filled the positions there are goes on from its later half`() {
    let (prompt, configuration) = (Array("abcde".utf8), Self.learned)
    let context = configuration.context
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 3)
    let engine = InferenceEngine(
      configuration: configuration, settings: LossSettings(), parameters: parameters,
      pool: WorkerPool(workers: 1))
    let trainer = TransformerEngine(
      configuration: configuration, batch: 1, pool: WorkerPool(workers: 1))
    let text = Continuation(of: prompt, tokens: 20, texts: 2, engine: engine).samples(
      0..<1, rule: SamplingRule(temperature: 0), seed: 1)[0].bytes
    var (known, origin) = (prompt, 0)
    for byte in text {
      if known.count - origin > context { origin = known.count - 1 - context / 2 }
      let window = Array(known[origin...])
      let padded =
        window.map { Token($0) } + [Token](repeating: 0, count: context + 1 - window.count)
      let logits = padded.withUnsafeBufferPointer {
        trainer.logits(parameters: parameters, tokens: $0, rows: 1, settings: LossSettings())
      }
      let row = logits[(window.count - 1) * 256..<window.count * 256]
      let likeliest = row.indices.max { row[$0] < row[$1] }.map { UInt8($0 - row.startIndex) }
      #expect(byte == likeliest, "byte \(known.count)")
      known.append(byte)
    }
  }

  @Test(arguments: [dense, mixture, learned])
  func `a sample is the same text whatever is written beside it`(
    configuration: ModelConfiguration
  ) {
    let written = { (texts: Int, workers: Int, numbers: Range<Int>) in
      Continuation(
        of: Array("abc".utf8), tokens: 30, texts: texts,
        engine: engine(configuration, workers: workers)
      ).samples(numbers, rule: SamplingRule(topK: 40), seed: 7)
    }
    let all = written(1, 1, 0..<7)
    #expect(Set(all.map(\.bytes)).count == 7)
    #expect(written(3, 1, 0..<7) == all)
    #expect(written(7, 1, 0..<7) == all)
    #expect(written(2, 2, 0..<7) == all)
    #expect(written(4, 2, 3..<6) == Array(all[3..<6]))
    let split = Continuation(
      of: Array("abc".utf8), tokens: 30, texts: 1, engine: engine(configuration, workers: 2),
      splits: true)
    #expect(split.slides && split.samples(2..<3, rule: SamplingRule(topK: 40), seed: 7) == [all[2]])
  }

  @Test func `a sample's probability is that of its bytes`() {
    let (prompt, configuration) = (Array("abc".utf8), Self.dense)
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 3)
    let engine = InferenceEngine(
      configuration: configuration, settings: LossSettings(), parameters: parameters,
      pool: WorkerPool(workers: 1))
    let sample = Continuation(of: prompt, tokens: 22, texts: 1, engine: engine).samples(
      0..<1, rule: SamplingRule(temperature: 0.7, topP: 0.9), seed: 1)[0]
    let trainer = TransformerEngine(
      configuration: configuration, batch: 1, pool: WorkerPool(workers: 1))
    let losses = Buffer<Double>(count: 24)
    (prompt + sample.bytes).map { Token($0) }.withUnsafeBufferPointer {
      _ = trainer.losses(
        parameters: [parameters], tokens: $0, rows: 1, settings: LossSettings(),
        tokenLosses: [losses])
    }
    // The token at place 2 predicts the first byte that was written.
    let judge = (2..<24).reduce(0) { $0 - losses[$1] }
    #expect(abs(sample.logProbability - judge) < 1e-3)
  }

  /// A checkpoint's weights and what transformers wrote with them.
  private struct Recorded: Decodable {
    struct Tensor: Decodable {
      let name: String
      let shape: [Int]
    }
    let width: Int
    let layers: Int
    let heads: Int
    let context: Int
    let qk_layernorm: Bool
    let prompt: [UInt8]
    let text: [UInt8]
    let tensors: [Tensor]
  }

  @Test(arguments: ["greedy-plain", "greedy-qk"])
  func `what is likeliest is what transformers writes with the same checkpoint`(name: String) throws
  {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Recorded")
    let recorded = try JSONDecoder().decode(
      Recorded.self, from: Data(contentsOf: folder.appending(path: name + ".json")))
    let numbers = try Data(contentsOf: folder.appending(path: name + ".bin"))
    let configuration = ModelConfiguration(
      width: recorded.width, layers: recorded.layers, heads: recorded.heads,
      context: recorded.context)
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    var offset = 0
    for tensor in recorded.tensors {
      let place = try #require(layout[tensor.name])
      try #require(place.shape == tensor.shape)
      numbers.withUnsafeBytes { bytes in
        for index in 0..<place.count {
          parameters[place.offset + index] = bytes.loadUnaligned(
            fromByteOffset: 4 * (offset + index), as: Float.self)
        }
      }
      offset += place.count
    }
    #expect(4 * offset == numbers.count)
    let engine = InferenceEngine(
      configuration: configuration,
      settings: LossSettings(qkLayerNormWeight: recorded.qk_layernorm ? 1 : 0),
      parameters: parameters, pool: WorkerPool(workers: 1))
    let sample = Continuation(
      of: recorded.prompt, tokens: recorded.text.count, texts: 1, engine: engine
    ).samples(0..<1, rule: SamplingRule(temperature: 0), seed: 0)[0]
    #expect(recorded.text.count == 59 && sample.bytes == recorded.text)
  }
}
