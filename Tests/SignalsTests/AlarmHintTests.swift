import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15))) struct AlarmHintTests {
  @Test(arguments: [
    AlarmHint.halveRate, .goBack(checkpoint: nil), .goBack(checkpoint: "step-000000100"),
    .change("switch qk-layernorm on"), .change("raise weight decay, or c: checkpoint"),
  ])
  func `a hint's words say which it is`(hint: AlarmHint) {
    #expect(AlarmHint(hint.text) == hint)
  }

  @Test(arguments: ["", "r: resume", "see the log", "c: checkpoint"])
  func `other words are none`(words: String) {
    #expect(AlarmHint(words) == nil)
  }

  @Test func `a change names its setting in either spelling`() {
    let names = ["lr.multiplier", "qk_layernorm", "moe.aux_loss"]
    #expect(AlarmHint.change("switch qk-layernorm on").setting(among: names) == "qk_layernorm")
    #expect(AlarmHint.change("raise moe.aux_loss").setting(among: names) == "moe.aux_loss")
    #expect(AlarmHint.change("raise weight decay").setting(among: names) == nil)
    #expect(AlarmHint.halveRate.setting(among: names) == nil)
  }
}
