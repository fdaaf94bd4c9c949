import Foundation
import Telemetry

/// A run's probes, called one after the other.
struct ProbeList {
  private var probes: [any Probe]

  init(_ makers: [ProbeCatalog.Maker], of run: ProbedRun) {
    probes = makers.compactMap { $0(run) }
    let keys = probes.map(\.key)
    precondition(Set(keys).count == keys.count, "two probes have one key: \(keys.sorted())")
    let taken = ContinuationState.keys.intersection(keys)
    precondition(taken.isEmpty, "a checkpoint keeps something else as \(taken.sorted())")
  }

  mutating func beforePasses(of step: ProbedStep) {
    for index in probes.indices where probes[index].isDue(in: step) {
      probes[index].beforePasses(of: step)
    }
  }

  mutating func beforeUpdate(of step: ProbedStep) {
    for index in probes.indices where probes[index].isDue(in: step) {
      probes[index].beforeUpdate(of: step)
    }
  }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    for index in probes.indices where probes[index].isDue(in: step) {
      probes[index].afterUpdate(of: step, outcome, into: &samples)
    }
  }

  mutating func events(of step: ProbedStep) -> [RunEvent] {
    var events: [RunEvent] = []
    for index in probes.indices where probes[index].isDue(in: step) {
      events += probes[index].events(of: step)
    }
    return events
  }

  func tensors(at step: Int) -> [StoredTensor] { probes.flatMap { $0.tensors(at: step) } }

  /// The states under the probes' keys, beside whatever else `encoder` holds.
  func encodeStates(at step: Int, to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: ProbeKey.self)
    for probe in probes { try probe.encodeState(at: step, into: &container) }
  }

  /// - Throws: `damaged` where a state that `checkpoint` keeps cannot be one.
  func check(_ checkpoint: Checkpoint) throws(CheckpointError) {
    for probe in probes { _ = try probe.storedState(in: checkpoint) }
  }

  /// - Throws: `damaged` and what a checkpoint's tensors throw.
  mutating func resume(from checkpoint: Checkpoint) throws(CheckpointError) {
    for index in probes.indices { try probes[index].resume(from: checkpoint) }
  }
}

extension Probe {
  fileprivate func encodeState(
    at step: Int, into container: inout KeyedEncodingContainer<ProbeKey>
  ) throws {
    try container.encodeIfPresent(state(at: step), forKey: ProbeKey(key))
  }

  fileprivate func storedState(in checkpoint: Checkpoint) throws(CheckpointError) -> State? {
    guard State.self != Never.self else { return nil }
    return try checkpoint.run(as: StoredState<State>.self, configuration: ProbeKey(key)).state
  }

  fileprivate mutating func resume(from checkpoint: Checkpoint) throws(CheckpointError) {
    try resume(storedState(in: checkpoint), from: checkpoint)
  }
}

/// A probe's own word in a run's state.
private struct ProbeKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ key: String) { stringValue = key }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// What a run's state holds under one probe's key.
private struct StoredState<State: Decodable>: DecodableWithConfiguration {
  let state: State?

  init(from decoder: any Decoder, configuration key: ProbeKey) throws {
    state = try decoder.container(keyedBy: ProbeKey.self).decodeIfPresent(State.self, forKey: key)
  }
}
