import Testing

@testable import Formats

/// Lines read directly say what they say as values of JSON, line by line and together.
@Suite(.timeLimit(.minutes(15))) struct NumberLineTests {
  private static let keys = [
    "loss", "lr", "step", "_step", "iter", "time", "_timestamp", "metrics", "train", "a/b", "a",
    "b", "", "_hidden", "event", "grad_norm", "é", #"quo\"te"#, #"\u0061"#, "values",
  ]

  private static func blank(_ random: inout RandomBits) -> String {
    ["", "", "", " ", "\t", "  ", "\r"].randomElement(using: &random) ?? ""
  }

  private static func value(_ random: inout RandomBits, depth: Int) -> String {
    switch Int.random(in: 0..<24, using: &random) {
    case 0: "NaN"
    case 1: ["Infinity", "-Infinity"].randomElement(using: &random) ?? ""
    case 2: ["true", "false", "null"].randomElement(using: &random) ?? ""
    case 3:
      ["\"text\"", "\"set\"", "[1,2]", "[]", "[{\"a\":1}]"].randomElement(using: &random) ?? ""
    case 4:
      ["1e400", "-", "1.", "-0", "007", "1e99", "tru", "-.5", "9007199254740993"]
        .randomElement(using: &random) ?? ""
    case 5..<8: depth > 11 ? "{}" : object(&random, depth: depth + 1)
    case 8..<14: "\(Int.random(in: -3...40, using: &random))"
    case 14..<18: "\(Float.random(in: -5...5, using: &random))"
    default: "\(Double(bitPattern: random.next()))"
    }
  }

  private static func object(_ random: inout RandomBits, depth: Int) -> String {
    let members = (0..<Int.random(in: 0..<7, using: &random)).map { _ in
      let key = keys.randomElement(using: &random) ?? ""
      return blank(&random) + "\"\(key)\"" + blank(&random) + ":" + blank(&random)
        + value(&random, depth: depth) + blank(&random)
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func line(_ random: inout RandomBits) -> String {
    var bytes = Array((blank(&random) + object(&random, depth: 1) + blank(&random)).utf8)
    switch Int.random(in: 0..<12, using: &random) {
    case 0: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    case 1:
      let index = bytes.indices.randomElement(using: &random) ?? 0
      bytes[index] ^= 1 << UInt8.random(in: 0..<7, using: &random)
    case 2: bytes += Array("}".utf8)
    default: break
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: 0..<8) func `any lines read directly are what the decoder makes of them`(
    seed: UInt64
  ) throws {
    var random = RandomBits(seed: seed)
    for _ in 0..<60 {
      let lines = (0..<Int.random(in: 1..<12, using: &random)).map { _ in Self.line(&random) }
      let bytes = Array(lines.joined(separator: "\n").utf8)
      let direct = try Decoding.run(JSONLinesDecoder(), bytes)
      let decoded = try Decoding.run(JSONLinesDecoder(direct: false), bytes)
      #expect("\(direct)" == "\(decoded)", "\(lines.joined(separator: "\n"))")
    }
  }

  @Test func `lines of numbers are read directly, others are not`() {
    func isRead(_ text: String) -> Bool {
      var line = NumberLine()
      return line.read(Array(text.utf8), in: 0..<text.utf8.count)
    }
    let direct = [
      #"{"step":1,"metrics":{"loss":NaN,"lr":-Infinity}}"#,
      #"{ "a": {"b": {"c": 1e-5}}, "d": true }"#,
      #"{"loss":0.1,"n":null}"# + "\r", "{}",
    ]
    for text in direct { #expect(isRead(text), "\(text)") }
    let others = [
      #"{"a":"b"}"#, #"{"a":[1]}"#, #"{"é":1}"#, #"{"\n":1}"#, "", "Epoch 1", "[1]", "3",
      #"{"a":1"#, #"{"a":1}}"#, #"{"step":{"a":1}}"#, #"{"_wandb":{"a":1}}"#, #"{"a" 1}"#,
    ]
    for text in others { #expect(!isRead(text), "\(text)") }
  }

  @Test func `every key is found again where lines change their order and their keys`() {
    var line = NumberLine()
    var batch = RunBatch()
    func names(_ text: String) -> [String] {
      let isRead = line.read(Array(text.utf8), in: 0..<text.utf8.count)
      #expect(isRead, "\(text)")
      return line.leaves.map { line.keys[$0.key].name }
    }
    #expect(names(#"{"a":1,"b":{"a":2,"c":3},"d":4}"#) == ["a", "b/a", "b/c", "d"])
    #expect(names(#"{"d":4,"b":{"c":3,"a":2},"a":1}"#) == ["d", "b/c", "b/a", "a"])
    #expect(names(#"{"a":1,"c":1,"b":2}"#) == ["a", "c", "b"])
    #expect(names(#"{"a":1,"aa":1,"b":2}"#) == ["a", "aa", "b"])
    let first = line.metric(of: line.leaves[0].key, in: &batch)
    let second = line.metric(of: line.leaves[0].key, in: &batch)
    #expect(first == 0 && second == 0)
  }
}
