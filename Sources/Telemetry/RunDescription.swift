/// What a run is: enough to label it, to compare it and to start it again.
public struct RunDescription: Sendable, Hashable, Codable {
  /// The model's shape, where the source knows it.
  public struct Model: Sendable, Hashable, Codable {
    /// The preset whose sizes these are; nil for sizes of one's own.
    public var preset: String?
    /// D, the width of the residual stream.
    public var width: Int
    /// The blocks.
    public var layers: Int
    /// The attention heads of a block.
    public var heads: Int
    /// Tokens a window.
    public var context: Int
    /// Windows a step at the start.
    public var batch: Int
    /// Experts of a layer; 0 for a dense model.
    public var experts: Int
    /// All trained numbers.
    public var parameters: Int

    package init(
      preset: String?, width: Int, layers: Int, heads: Int, context: Int, batch: Int,
      experts: Int, parameters: Int
    ) {
      self.preset = preset
      self.width = width
      self.layers = layers
      self.heads = heads
      self.context = context
      self.batch = batch
      self.experts = experts
      self.parameters = parameters
    }
  }

  /// The session's name as a person knows it: `rescue`.
  public var name: String
  /// Seconds since 1970.
  public var created: Double
  /// The model's shape; nil where the source does not say it.
  public var model: Model?
  /// Planned steps, where known.
  public var totalSteps: Int?
  /// Warm-up steps and peak rate, so that the schedule to come can be drawn.
  public var warmup: Int?
  /// The rate after the warm-up; nil where the source does not say it.
  public var peakLearningRate: Double?
  /// The rate at which the schedule ends; nil where the source does not say it.
  public var minimumLearningRate: Double?
  /// The data's exact entropy, nats a byte, where known.
  public var entropyPerByte: Double?
  /// The loss at initialisation, nats a token, where measured.
  public var initialLoss: Double?
  /// Every option of the run under its long name, as `run.toml` would hold it.
  public var options: [String: String]
  /// The machine's part: processor, BLAS core and version, Seismo's version.
  public var environment: [String: String]

  /// The commands that another program obeys; nil where it has not said so, or is Seismo.
  package var obeyedCommands: Set<String>? {
    environment[.commands].map { Set($0.split(separator: " ").map(String.init)) }
  }

  /// Whether its steps are those of another trainer, which are shown as they were logged: whether
  /// the last of them was counted before or after its update, nobody knows.
  public var isForeign: Bool {
    model == nil && (totalSteps == nil || environment[.source] != nil)
  }

  /// Where in ``environment`` another trainer says what its losses are counted in.
  package static let lossUnitKey = "loss_unit"

  /// It, as far as its numbers can be of a run: without sizes that no model has and steps that nobody
  /// can count to. A file or a wire may say any.
  package var plausible: RunDescription {
    var description = self
    if let model, !model.isPlausible { description.model = nil }
    if let totalSteps, !(0...Self.mostSteps).contains(totalSteps) { description.totalSteps = nil }
    if let warmup, !(0...Self.mostSteps).contains(warmup) { description.warmup = nil }
    return description
  }

  /// Beyond, a number of steps has no exact place among Doubles.
  private static let mostSteps = 1 << 52

  /// The unit of a metric: of another trainer's losses what it says, or nothing.
  package func unit(of name: MetricName) -> String {
    let unit = MetricCatalog.family(of: name)?.unit ?? ""
    guard isForeign, unit == MetricCatalog.family(of: MetricCatalog.loss)?.unit else { return unit }
    return environment[Self.lossUnitKey] ?? ""
  }

  package init(
    name: String, created: Double, model: Model? = nil, totalSteps: Int? = nil,
    warmup: Int? = nil, peakLearningRate: Double? = nil, minimumLearningRate: Double? = nil,
    entropyPerByte: Double? = nil, initialLoss: Double? = nil, options: [String: String] = [:],
    environment: [String: String] = [:]
  ) {
    self.name = name
    self.created = created
    self.model = model
    self.totalSteps = totalSteps
    self.warmup = warmup
    self.peakLearningRate = peakLearningRate
    self.minimumLearningRate = minimumLearningRate
    self.entropyPerByte = entropyPerByte
    self.initialLoss = initialLoss
    self.options = options
    self.environment = environment
  }
}

extension RunDescription.Model {
  /// Each size as a log spells it, with its place and the most that it can be.
  package static var sizes: [(name: String, place: WritableKeyPath<Self, Int>, most: Int)] {
    [
      ("width", \.width, 1 << 24), ("layers", \.layers, 1 << 16), ("heads", \.heads, 1 << 16),
      ("context", \.context, 1 << 30), ("batch", \.batch, 1 << 30),
      ("experts", \.experts, 1 << 20), ("parameters", \.parameters, 1 << 52),
    ]
  }

  /// Whether a model can have these sizes.
  package var isPlausible: Bool {
    Self.sizes.allSatisfy { (0...$0.most).contains(self[keyPath: $0.place]) }
  }
}

/// Where a run stands.
public enum RunState: Sendable, Hashable, Codable {
  case starting
  case running
  case paused
  /// All planned steps are done.
  case finished
  /// Ended by a person or a signal before its last step.
  case stopped
  /// The loss is not finite any more.
  case diverged
  case failed(reason: String)

  /// Whether no further step will come.
  public var isOver: Bool {
    switch self {
    case .starting, .running, .paused: false
    case .finished, .stopped, .diverged, .failed: true
    }
  }

  /// The state in a word.
  public var word: String {
    switch self {
    case .starting: "starting"
    case .running: "running"
    case .paused: "paused"
    case .finished: "finished"
    case .stopped: "stopped"
    case .diverged: "diverged"
    case .failed: "failed"
    }
  }
}
