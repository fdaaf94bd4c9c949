import Telemetry
import Testing

@testable import Training

/// How many blocks may stay as they are.
@Suite(.timeLimit(.minutes(15)))
struct FreezeTests {
  @Test(
    arguments: [
      (["architecture": "gpt2"], 1), (["architecture": "gpt2", "tie-embeddings": "off"], nil),
      (["tie-embeddings": "on"], 1), (["base": "b", "method": "lora"], 1), ([:], nil),
      (["architecture": "llama", "tie-embeddings": "on", "layers": "1"], 0),
      (["base": "b", "method": "ladder"], nil),
    ] as [([String: String], Int?)])
  func `blocks are frozen as long as more than norms is left to train`(
    options: [String: String], most: Int?
  ) throws {
    let sizes = ["preset": "tiny", "layers": "2"].merging(options) { $1 }
    let configuration = try TrainingConfiguration(options: sizes)
    for count in 0...3 {
      var machine = TrainerStateMachine(
        settings: LiveSettings(configuration), conditions: SettingConditions(configuration))
      let event = machine.apply(
        try Command(words: "set freeze \(count)"), by: "you", at: 1, wallTime: 0
      ).events.first
      let given = sizes.merging(["freeze": "\(count)"]) { $1 }
      guard let most, count > most else {
        #expect(count == 0 || event?.kind == .set)
        _ = try TrainingConfiguration(options: given)
        continue
      }
      let reason = "nothing but norms would be left to train: give at most \(most)"
      #expect(event?.text == "set freeze \(count) refused: \(reason)")
      #expect(
        throws: ConfigurationError.impossible(reason: "freeze \(count) cannot be, as \(reason)")
      ) { try TrainingConfiguration(options: given) }
    }
  }
}
