import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct TextWidthTests {
  @Test(arguments: [
    ("", 0), ("loss", 4), ("9,278 → 12", 10), ("日本語", 6), ("한국", 4), ("é", 1), ("e\u{301}", 1),
    ("👍", 2), ("👍🏽", 2), ("⡇⣿", 2), ("█▌", 2), ("½·×", 3), ("ｆｕｌｌ", 8), ("\u{200B}", 0),
  ])
  func `columns are counted as terminals count them`(text: String, columns: Int) {
    #expect(TextWidth.columns(of: text) == columns)
  }

  @Test(arguments: [
    ("gradients", 9, "gradients"), ("gradients", 8, "gradien…"), ("gradients", 1, "…"),
    ("gradients", 0, ""), ("gradients", -3, ""), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
  ])
  func `what does not fit ends in an ellipsis`(text: String, columns: Int, shown: String) {
    #expect(TextWidth.truncated(text, to: columns) == shown)
    #expect(TextWidth.columns(of: shown) <= max(0, columns))
  }

  @Test func `lines break between words and inside a word only when it is too long`() {
    let text = "attention logits pass 1e4 in ~400 steps"
    #expect(
      TextWidth.wrapped(text, to: 16) == ["attention logits", "pass 1e4 in ~400", "steps"])
    #expect(TextWidth.wrapped("checkpoint at 9", to: 5) == ["check", "point", "at 9"])
    #expect(TextWidth.wrapped(text, to: 0).isEmpty)
    #expect(TextWidth.wrapped("日", to: 1).isEmpty)
  }

  @Test func `padding fills up to the width`() {
    #expect(TextWidth.padded("日", to: 4) == "日  ")
    #expect(TextWidth.padded("loss", to: 3) == "lo…")
  }
}
