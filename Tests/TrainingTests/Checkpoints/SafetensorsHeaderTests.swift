import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SafetensorsHeaderTests {
  struct Refusal: Sendable {
    var header: String
    var body: Int
    var offset: Int
    var expected: String
    var found: String

    init(_ header: String, _ body: Int, _ offset: Int, _ expected: String, _ found: String) {
      self.header = header
      self.body = body
      self.offset = offset
      self.expected = expected
      self.found = found
    }
  }

  static let refused: [Refusal] = [
    Refusal("", 0, 0, "{", "the end of the header"),
    Refusal("[]", 0, 0, "{", "["),
    Refusal("{", 0, 1, "\"", "the end of the header"),
    Refusal("{}x", 0, 2, "the end of the header", "more"),
    Refusal(#"{"w":[[[[[["#, 0, 5, "{", "["),
    Refusal(#"{"w":{"dtype":"F32","shape":[1]}}"#, 0, 5, "dtype, shape and data_offsets", "fewer"),
    Refusal(
      #"{"w":{"dtype":"F32","dtype":"F32"}}"#, 0, 5,
      "dtype, shape and data_offsets, each once", #""dtype""#),
    Refusal(
      #"{"w":{"dtype":"Q4","shape":[],"data_offsets":[0,4]}}"#, 4, 5, "a known type", "w of Q4"),
    Refusal(#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, 5, "8 bytes for w", "4"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, 5, "a begin and an end",
      "data_offsets [4, 0]"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, 5,
      "at least 4 bytes of tensors (w)", "3"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, 0, "4 bytes of tensors", "5"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, 0, "w to begin at 0", "4"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}"#, 0, 5,
      "a size that fits", "w of [4294967296, 4294967296, 0]"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}"#, 0, 29,
      "a number that fits", "a longer one"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#, 0, 29, "a whole number", "-"),
    Refusal(
      #"{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[],"#
        + #""data_offsets":[4,8]}}"#, 8, 57, "each tensor once", "w again"),
    Refusal(#"{"__metadata__":{},"__metadata__":{}}"#, 0, 34, "one __metadata__", "a second"),
    Refusal(#"{"__metadata__":{"a":1}}"#, 0, 21, "\"", "1"),
    Refusal(#"{"\ud83d":{}}"#, 0, 4, "the second half of a character", "\""),
    Refusal(#"{"\udc00":{}}"#, 0, 4, "a character", "half of one"),
    Refusal(#"{"\u+123":{}}"#, 0, 4, "four hexadecimal digits", "+"),
    Refusal(#"{"\x":{}}"#, 0, 3, "an escape", "x"),
    Refusal("{\"\n\":{}}", 0, 2, "a string", "a control character"),
  ]

  @Test(arguments: refused)
  func `a header that breaks the format is refused where it does`(refusal: Refusal) {
    let fault = SafetensorsFault(
      refusal.offset, expected: refusal.expected, found: refusal.found)
    #expect(throws: fault) {
      try SafetensorsHeader(json: Array(refusal.header.utf8), bodyCount: refusal.body)
    }
  }
}
