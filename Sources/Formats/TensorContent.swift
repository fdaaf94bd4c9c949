import Telemetry

/// What a TensorProto holds, as far as a run's record goes: one number, or texts.
struct TensorContent {
  private enum Kind: UInt64 {
    case float32 = 1
    case float64 = 2
    case int32 = 3
    case string = 7
    case int64 = 9
    case bfloat16 = 14
    case float16 = 19
  }

  private(set) var texts: [String] = []
  private(set) var isMalformed: Bool
  private var kind: Kind?
  private var rank = 0
  private var number: Double?

  init(_ bytes: [UInt8], in range: Range<Int>) {
    var fields = ProtobufReader(in: range)
    var content: Range<Int>?
    isMalformed = false
    while let field = fields.next(in: bytes.span) {
      switch (field.number, field.value) {
      case (1, .varint(let type)): kind = Kind(rawValue: type)
      case (2, .bytes(let range)): rank = Self.rank(bytes, in: range)
      case (4, .bytes(let range)): content = range
      case (5, .fixed32(let bits)): number = Double(Float(bitPattern: bits))
      case (6, .fixed64(let bits)): number = Double(bitPattern: bits)
      case (7, .varint(let bits)), (10, .varint(let bits)): number = Double(Int64(bitPattern: bits))
      case (13, .varint(let bits)): number = half(bits)
      case (5...13, .bytes(let range)) where field.number == 8:
        texts.append(String(bytes, in: range))
      case (5...13, .bytes(let range)): number = packed(field.number, bytes, range)
      default: break
      }
    }
    if let content, !content.isEmpty { number = raw(bytes, content) }
    isMalformed = fields.isMalformed
  }

  /// The one number of a tensor without dimensions.
  var scalar: Double? { rank == 0 && !isMalformed ? number : nil }

  private static func rank(_ bytes: [UInt8], in range: Range<Int>) -> Int {
    var fields = ProtobufReader(in: range)
    var rank = 0
    while let field = fields.next(in: bytes.span) {
      if field.number == 2 { rank += 1 }
    }
    return rank
  }

  private func half(_ bits: UInt64) -> Double {
    let bits = UInt16(truncatingIfNeeded: bits)
    guard kind == .bfloat16 else { return Double(Float16(bitPattern: bits)) }
    return Double(Float(bitPattern: UInt32(bits) << 16))
  }

  /// The first number of a packed list.
  private func packed(_ field: Int, _ bytes: [UInt8], _ range: Range<Int>) -> Double? {
    var list = ProtobufReader(in: range)
    switch field {
    case 5:
      return list.fixed(UInt32.self, in: bytes.span).map { Double(Float(bitPattern: $0)) }
    case 6: return list.fixed(UInt64.self, in: bytes.span).map { Double(bitPattern: $0) }
    case 7, 10: return list.varint(in: bytes.span).map { Double(Int64(bitPattern: $0)) }
    case 13: return list.varint(in: bytes.span).map { half($0) }
    default: return nil
    }
  }

  /// The number in `tensor_content`, little-endian.
  private func raw(_ bytes: [UInt8], _ range: Range<Int>) -> Double? {
    var list = ProtobufReader(in: range)
    switch kind {
    case .float32:
      return list.fixed(UInt32.self, in: bytes.span).map { Double(Float(bitPattern: $0)) }
    case .float64: return list.fixed(UInt64.self, in: bytes.span).map { Double(bitPattern: $0) }
    case .int32:
      return list.fixed(UInt32.self, in: bytes.span).map { Double(Int32(bitPattern: $0)) }
    case .int64:
      return list.fixed(UInt64.self, in: bytes.span).map { Double(Int64(bitPattern: $0)) }
    case .bfloat16, .float16:
      return list.fixed(UInt16.self, in: bytes.span).map { half(UInt64($0)) }
    case .string, nil: return nil
    }
  }
}

/// The options that TensorBoard's hyper-parameter plugin keeps with a run.
enum HyperParameters {
  static func read(_ bytes: [UInt8], in range: Range<Int>) -> [String: String] {
    var options: [String: String] = [:]
    for start in submessages(3, bytes, range) {
      for entry in submessages(1, bytes, start) {
        let key = submessages(1, bytes, entry).first.map { String(bytes, in: $0) }
        guard let key, let value = submessages(2, bytes, entry).first else { continue }
        options[key] = text(bytes, in: value)
      }
    }
    return options
  }

  private static func submessages(
    _ number: Int, _ bytes: [UInt8], _ range: Range<Int>
  ) -> [Range<Int>] {
    var fields = ProtobufReader(in: range)
    var found: [Range<Int>] = []
    while let field = fields.next(in: bytes.span) {
      if field.number == number, case .bytes(let range) = field.value { found.append(range) }
    }
    return found
  }

  private static func text(_ bytes: [UInt8], in range: Range<Int>) -> String? {
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      switch (field.number, field.value) {
      case (2, .fixed64(let bits)):
        return SettingValue.number(Double(bitPattern: bits)).description
      case (3, .bytes(let range)): return String(bytes, in: range)
      case (4, .varint(let flag)): return flag == 0 ? "off" : "on"
      default: break
      }
    }
    return nil
  }
}
