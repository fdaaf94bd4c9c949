import Dispatch
import Foundation
import Kernels
package import Models

/// What writing costs, from what each of its parts takes on this machine by itself.
///
/// The first byte costs passes over the prompt; every later one a pass over one position a text,
/// whose attention grows with its place: T(P, O) = F(P) + Σ (β₀ + β₁·t) over t = P … P+O−2. F and β₀
/// are what passes at the beginning of texts take, β₁ what attention takes more for each place. Where
/// positions are learned and all taken, the passes that read a text's later half again are added.
/// - Source: Narayanan et al. 2023 (2305.02440), whose one β grows with the place here
package struct InferenceEstimate {
  private let engine: InferenceEngine
  private let model: ModelConfiguration
  /// Texts that are written side by side by a worker.
  package let texts: Int
  private let choice: Double
  /// β₀ without the choice.
  private let pass: Double
  /// β₁ of one text: seconds of attention a position looked back to.
  private let look: Double
  private let sharing: InferenceEngine.Sharing

  /// - Parameters: `texts` are the samples in all
  package init(_ engine: InferenceEngine, texts: Int) {
    self.engine = engine
    model = engine.configuration
    self.texts = (texts + engine.workers - 1) / engine.workers
    sharing = texts == 1 && engine.workers > 1 ? .products : .passes
    choice = Self.secondsOfChoice(among: model.vocabulary)
    pass = engine.secondsOfPass(.texts, rows: self.texts, sharing)
    // A context of a hundred thousand places need not be filled to tell what one takes.
    let near = min(max(16, model.context / 4), 4096)
    let (few, many) = (
      engine.secondsOfAttention(places: near, sharing),
      engine.secondsOfAttention(places: 2 * near, sharing)
    )
    look = max(0, (many - few) / Double(near))
  }

  /// Choosing a token and telling its probability, in seconds.
  private static func secondsOfChoice(among tokens: Int) -> Double {
    let (logits, scratch) = (FloatBuffer(count: tokens), FloatBuffer(count: tokens))
    for index in 0..<tokens { logits[index] = Float(index % 17) }
    let row = UnsafeBufferPointer(start: logits.base, count: tokens)
    let (rule, count) = (SamplingRule(), max(20, 512_000 / tokens))
    let start = DispatchTime.now().uptimeNanoseconds
    var sum = 0.0
    for place in 0..<count {
      let token = rule.choose(row, draw: Double(place) / Double(count), scratch: scratch)
      sum += Double(logProbability(of: Int(token), in: row, scratch: scratch))
    }
    precondition(sum <= 0)
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 / Double(count)
  }

  /// F: until the first token after the longest part of the prompt that fits is written.
  package func secondsOfPrompt(_ tokens: Int) -> Double {
    let kept = model.kept(ofPrompt: tokens)
    let rows = min(kept, Continuation.promptRows)
    let passes = Double(kept) / Double(rows)
    let first = engine.secondsOfPass(.prompt, rows: rows, sharing)
    // Later passes look back to what the ones before have read.
    let looks = Double(kept) * Double(rows) * (passes - 1) / 2
    return passes * first + looks * look + Double(texts) * choice
  }

  /// A pass at this place of the texts, in seconds: β₀ + β₁·t.
  /// - Parameters: `writes` is false where nothing is chosen by what comes of it
  package func secondsOfPass(at place: Int, writes: Bool = true) -> Double {
    pass + Double(texts)
      * ((writes ? choice : 0) + look * Double(min(place, model.context - 1)))
  }

  /// T(P, O)
  package func seconds(prompt: Int, tokens: Int) -> Double {
    secondsOfPrompt(prompt) + secondsOfWriting(prompt: prompt, tokens: tokens)
  }

  /// Of the passes after the prompt's.
  func secondsOfWriting(prompt: Int, tokens: Int) -> Double {
    var seconds = 0.0
    model.forEachPass(prompt: model.kept(ofPrompt: prompt), tokens: tokens) { _, place, writes in
      seconds += secondsOfPass(at: place, writes: writes)
    }
    return seconds
  }

  /// What `sample` takes for it: the median of a few tries.
  package func measured(prompt: Int, tokens: Int, tries: Int = 3) -> Double {
    var sampling = Sampling(timing: prompt, of: model)
    sampling.tokens = tokens
    let count = sharing == .products ? 1 : texts * engine.workers
    let times = (0..<tries).map { _ in
      sampling.write(count, engine: engine) { _, _ in }.seconds
    }
    return times.sorted()[tries / 2]
  }
}

/// Operations and memory of writing, by the shapes alone.
package struct InferenceCost {
  private let model: ModelConfiguration

  package init(_ model: ModelConfiguration) { self.model = model }

  /// n: the weights that a token meets, those of the logits apart.
  private var weights: Int {
    var rooted = model
    // What of a layer's cost goes with the context is counted by place here.
    rooted.context = 0
    return (0..<model.layers).reduce(0) {
      $0 + model.mixer(inLayer: $1).conformer.weightsPerToken(rooted)
        + model.feedForward(inLayer: $1).conformer.weightsPerToken(rooted)
    }
  }

  private var outputWeights: Int { model.width * model.vocabulary }

  /// 2·n·P for the products, 2·L·D·P² for what looks back, and the logits of the last token; P is no
  /// more of a prompt than is read.
  package func flops(prompt: Int) -> Double {
    let prompt = model.kept(ofPrompt: prompt)
    let attention = 2 * model.attentionLayers.count * model.width
    return 2 * Double(weights) * Double(prompt) + Double(attention) * Double(prompt)
      * Double(prompt) + 2 * Double(outputWeights)
  }

  /// 2·n + 4·L·D·t
  package func flops(at place: Int) -> Double {
    2 * Double(weights + outputWeights)
      + 4 * Double(model.attentionLayers.count * model.width)
      * Double(min(place + 1, model.context))
  }

  /// Of a text: those of its prompt, and of each pass that writes `tokens` after it.
  package func flops(prompt: Int, tokens: Int) -> Double {
    var flops = flops(prompt: prompt)
    model.forEachPass(prompt: model.kept(ofPrompt: prompt), tokens: tokens) { _, place, _ in
      flops += self.flops(at: place)
    }
    return flops
  }

  /// Of the weights as they are kept for products, and as they were trained.
  package var weightBytes: Int { 8 * model.parameterCount }

  /// Keys and values of a text of so many tokens.
  package func cacheBytes(positions: Int) -> Int {
    8 * model.attentionLayers.count * model.keyWidth * min(positions, model.context)
  }
}
