import Testing

@testable import Formats

/// An item that is known by its bytes is what reading it word by word gives.
@Suite(.timeLimit(.minutes(15))) struct WandbItemsTests {
  private static let values = [
    "1.5", "-2e-3", "0", "1e400", "-0.0", "12345678901234567890123", "NaN", "Infinity", "-Infinity",
    "true", "null", "\"7\"", "\"text\"", "{\"a\":1}", "[1]", "-", "1.5 ", " 1", "1x", "",
  ]

  private static func item(_ keys: [String], _ json: String, isBehind: Bool = false) -> [UInt8] {
    var writer = ProtobufWriter()
    if isBehind { writer.bytes(16, Array(json.utf8)) }
    if keys.count == 1 {
      writer.bytes(1, Array(keys[0].utf8))
    } else {
      for key in keys { writer.bytes(2, Array(key.utf8)) }
    }
    if !isBehind { writer.bytes(16, Array(json.utf8)) }
    return writer.bytes
  }

  /// Reads records of items; each metric is numbered by its key.
  private func check(_ records: [[[UInt8]]]) -> Int {
    var items = WandbItems()
    var (metrics, known): ([String: Int], Int) = ([:], 0)
    for record in records {
      items.beginRecord()
      for bytes in record {
        let padded = [7, 7] + bytes + [1, 2, 3]
        let range = 2..<2 + bytes.count
        let parts = WandbItems.parts(padded, range, separator: "/")
        if let (metric, value) = items.number(padded, range) {
          known += 1
          #expect(parts?.value == .number(value))
          #expect(metrics[parts?.key ?? ""] == metric)
          continue
        }
        let item = items.item(padded, range)
        // What is no number is not equal to itself.
        #expect(
          item?.key == parts?.key
            && String(describing: item?.value) == String(describing: parts?.value))
        guard let item, case .number = item.value else { continue }
        let metric = metrics[item.key] ?? metrics.count
        metrics[item.key] = metric
        items.note(item, metric: metric)
      }
    }
    return known
  }

  @Test func `every kind of value is read alike behind a key that is known`() {
    let records = Self.values.map { value in
      [
        Self.item(["loss"], "1.25"), Self.item(["train", "loss"], value),
        Self.item(["loss"], value, isBehind: true), Self.item(["lr"], "3e-4"),
      ]
    }
    #expect(check(records) > Self.values.count)
  }

  @Test func `a run that logs the same in every step is known after the first`() {
    let record = (0..<50).map { Self.item(["layer", "\($0)"], "0.\($0)") }
    #expect(check([record, record, record]) == 100)
  }

  @Test func `keys may come and go, and in any order`() {
    var random = RandomBits(seed: 8)
    let keys = (0..<12).map { $0 < 6 ? ["key\($0)"] : ["a", "key\($0)"] }
    let records = (0..<200).map { _ in
      keys.shuffled(using: &random).prefix(Int.random(in: 0...12, using: &random)).map {
        Self.item($0, Self.values[Int.random(in: 0..<Self.values.count, using: &random)])
      }
    }
    #expect(check(records) > 0)
  }

  @Test func `items cut at any byte never trap`() {
    let whole = Self.item(["train", "loss"], "0.125")
    var items = WandbItems()
    for length in [whole.count] + Array(0..<whole.count) {
      items.beginRecord()
      let bytes = Array(whole[..<length])
      if items.number(bytes, bytes.indices) != nil { #expect(length == whole.count) }
      if let item = items.item(bytes, bytes.indices) { items.note(item, metric: 3) }
    }
    items.beginRecord()
    #expect(items.number(whole, whole.indices)?.value == 0.125)
  }
}
