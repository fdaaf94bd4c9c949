import Models

/// How many windows a step takes, and which ones.
///
/// The batch may change between two steps: the next one goes on with the window after the last one
/// that was seen, so that none is left out and none comes twice. It is always cut in as many slices
/// as the first batch was.
package struct BatchSize: Sendable, Equatable, Codable {
  /// What the run began with; 0 where a checkpoint is older than this setting.
  package let first: Int
  package private(set) var value: Int
  /// What the run's options say of its slices; nil for as many as the first batch's size gives.
  package var chosenSlices: Int?
  private var since = 0
  private var windowsBefore = 0

  package init(_ value: Int, slices: Int? = nil) {
    first = value
    self.value = value
    chosenSlices = slices
  }

  package var slices: Int { chosenSlices ?? TransformerEngine.slices(ofBatch: max(first, 1)) }

  /// Changes it for `step` and those after it.
  package mutating func set(_ value: Int, at step: Int) {
    windowsBefore = firstWindow(of: step)
    since = step
    self.value = value
  }

  /// Leaves out what so many steps from now on would have seen.
  package mutating func leaveOut(batches: Int) {
    windowsBefore += batches * value
  }

  /// The number of the first window of `step`, from 0 at the run's start.
  package func firstWindow(of step: Int) -> Int {
    windowsBefore + (step - since) * value
  }
}

extension BatchSize {
  /// - Throws: `dataCorrupted` for what no run can have written and the engine cannot compute.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    first = try values.decode(Int.self, forKey: .first)
    value = try values.decode(Int.self, forKey: .value)
    since = try values.decode(Int.self, forKey: .since)
    windowsBefore = try values.decode(Int.self, forKey: .windowsBefore)
    chosenSlices = try values.decodeIfPresent(Int.self, forKey: .chosenSlices)
    let isSound =
      (1...4096).contains(value) && slices > 0 && value % slices == 0 && first >= 0 && since >= 0
    guard isSound || self == BatchSize(0) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "a batch of \(value)"))
    }
  }
}
