import Kernels
import Models
import Testing

/// Finite differences of what a model's gradient is taken of.
struct GradientCheck {
  let model: SmallModel
  let settings: LossSettings

  /// Every tensor along its own gradient, where the slope is largest against Float32's noise, and
  /// its largest element alone; a tensor without a gradient must have a reason for it, and no slope
  /// either.
  func run() {
    for flaw in flaws() { Issue.record(Comment(rawValue: flaw)) }
  }

  /// What is wrong with the gradients, a line each.
  /// - Parameters: `some` are all where not given; `change` puts a fault into a gradient
  func flaws(
    of some: [ParameterTensor]? = nil, changing change: ([Float]) -> [Float] = { $0 }
  ) -> [String] {
    let statistics = model.lossAndGradients(settings)
    let tensors = some ?? model.engine.layout.tensors
    let gradients = tensors.map { change(model.gradient($0)) }
    return zip(tensors, gradients).flatMap { tensor, gradient -> [String] in
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let stillness = Stillness(tensor, model.configuration, settings, statistics)
      guard (norm == 0) == (stillness != nil) else {
        let reason = stillness.map { "\($0)" } ?? "no reason to be still"
        return ["\(tensor.name): gradient of norm \(norm), \(reason)"]
      }
      guard norm > 0 else { return stillness == .fixed ? [] : slopesWhereFlat(tensor) }
      let largest = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
      var alone = gradient.map { _ in Float(0) }
      alone[largest] = 1
      return flaw(tensor, gradient.map { $0 / norm }, slope: Double(norm), "")
        + flaw(tensor, alone, slope: Double(gradient[largest]), "[\(largest)]")
    }
  }

  private func flaw(
    _ tensor: ParameterTensor, _ direction: [Float], slope expected: Double, _ place: String
  ) -> [String] {
    // Long steps keep rounding down, but a rectifier's kink or a strong curve may lie within them; short
    // ones hardly ever meet either. A gradient that is wrong by more than the tolerance agrees with
    // neither.
    let found = slope(tensor, direction, steps: [8e-3, 2e-3, 5e-4])
    if agrees(found, expected) { return [] }
    if agrees(slope(tensor, direction, steps: [2e-3, 5e-4]), expected) { return [] }
    return ["\(tensor.name)\(place): slope \(found), gradient \(expected)"]
  }

  private func agrees(_ slope: Double, _ gradient: Double) -> Bool {
    abs(slope - gradient) < 2e-3 * abs(gradient) + 2e-4
  }

  /// A tensor that is said to be without effect has none, in a direction of no preference.
  private func slopesWhereFlat(_ tensor: ParameterTensor) -> [String] {
    let here = Objective(model, settings)
    var random = RandomStream(seed: 5)
    let range = tensor.offset..<tensor.offset + tensor.count
    let kept = range.map { model.parameters[$0] }
    for index in range { model.parameters[index] += Float(0.01 * random.normal()) }
    let there = Objective(model, settings)
    for (index, value) in zip(range, kept) { model.parameters[index] = value }
    return here.value == there.value ? [] : ["\(tensor.name): an effect without a gradient"]
  }

  /// Fourth-order central difference, with the largest step that sends no token to another expert:
  /// there the objective jumps.
  private func slope(
    _ tensor: ParameterTensor, _ direction: [Float], steps: [Float]
  ) -> Double {
    let here = Objective(model, settings)
    let kept = FloatBuffer(count: model.parameters.count)
    kept.copy(from: model.parameters)
    for step in steps {
      let values = [Float(-2), -1, 1, 2].map { multiple -> Objective in
        for (index, component) in direction.enumerated() {
          model.parameters[tensor.offset + index] += step * multiple * component
        }
        defer { model.parameters.copy(from: kept) }
        return Objective(model, settings)
      }
      guard values.allSatisfy(here.routesAlike) else { continue }
      let near = values[2].value - values[1].value
      let far = values[3].value - values[0].value
      return (8 * near - far) / (12 * Double(step))
    }
    Issue.record("a token sits on the border of two experts; take another seed")
    return .nan
  }

  private struct Objective {
    let value: Double
    let expertCounts: [[Int]]
    let tokensDropped: [Float]

    func routesAlike(_ other: Objective) -> Bool {
      expertCounts == other.expertCounts && tokensDropped == other.tokensDropped
    }

    /// Of a step with two passes CE₁ + CE₂ + c·divergence, which only the step itself knows, as it
    /// alone knows the losses of noisy channels.
    init(_ model: SmallModel, _ settings: LossSettings) {
      let hasTwoPasses = model.configuration.passes == 2
      let isOfStep = hasTwoPasses || !model.noise.isEmpty
      let statistics = isOfStep ? model.lossAndGradients(settings) : model.loss(settings)
      if hasTwoPasses {
        value = 2 * statistics.loss + Double(settings.consistency) * statistics.divergence
      } else {
        let zLoss = Double(settings.zLoss) * model.meanSquaredLogZ(settings)
        value = statistics.loss + statistics.balanceLoss + statistics.routerZLoss + zLoss
      }
      tokensDropped = statistics.tokensDropped
      expertCounts = statistics.expertCounts
    }
  }
}

/// Why a tensor has no gradient.
enum Stillness: Equatable {
  /// It stays as it was drawn, though the loss depends on it.
  case fixed
  /// Gains of qk-layernorm while that is off.
  case switchedOff
  /// An expert that no token was sent to.
  case unused
  /// What a recurrent router does with the state before it, where h_0 = 0 is the only one.
  case firstState
  /// The engine sees the product of a matrix and its γ, which are told apart elsewhere.
  case outsideEngine

  /// Nil for a tensor that has a gradient.
  init?(
    _ tensor: ParameterTensor, _ configuration: ModelConfiguration, _ settings: LossSettings,
    _ statistics: StepStatistics
  ) {
    switch tensor.role {
    case .fixed: self = .fixed
    case .sigmaGain: self = .outsideEngine
    case .queryKeyGain where settings.qkLayerNormWeight == 0: self = .switchedOff
    case .router
    where tensor.name == "model.router.state.weight" && configuration.mixtureCount == 1:
      self = .firstState
    case .matrix:
      guard let expert = Self.expert(tensor.name), let layer = tensor.layer,
        let mixture = configuration.mixtureLayers.firstIndex(of: layer),
        statistics.expertCounts[mixture][expert] == 0
      else { return nil }
      self = .unused
    default: return nil
    }
  }

  private static func expert(_ name: String) -> Int? {
    let parts = name.split(separator: ".")
    return parts.firstIndex(of: "experts").flatMap { Int(parts[$0 + 1]) }
  }
}
