/// The header of a safetensors file: what each tensor is and where its bytes lie.
struct SafetensorsHeader: Sendable {
  struct Entry: Sendable, Hashable {
    var type: String
    var shape: [Int]
    /// Offsets from the first byte after the header.
    var bytes: Range<Int>
  }

  private(set) var entries: [String: Entry] = [:]
  private(set) var metadata: [String: String] = [:]

  /// The reference implementation refuses a longer one.
  static let longest = 100_000_000
  /// Bytes an element of each type takes; types below a byte are not among them.
  private static let sizes: [String: Int] = [
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "U16": 2, "I16": 2,
    "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
  ]

  /// Reads exactly what the format allows, no more JSON than that: no value is nested deeper than
  /// three, so no input can exhaust the stack.
  /// - Throws: `SafetensorsFault`, its offset counted from the header's first byte.
  init(json: [UInt8], bodyCount: Int) throws(SafetensorsFault) {
    var scanner = HeaderScanner(bytes: json)
    var hasMetadata = false
    try scanner.object { scanner, name throws(SafetensorsFault) in
      let start = scanner.offset
      guard name != "__metadata__" else {
        guard !hasMetadata else { throw scanner.fault("one __metadata__", "a second", start) }
        hasMetadata = true
        metadata = try Self.metadata(&scanner)
        return
      }
      guard entries[name] == nil else {
        throw scanner.fault("each tensor once", "\(name) again", start)
      }
      let entry = try Self.entry(&scanner)
      try Self.check(entry, name: name, bodyCount: bodyCount, at: start)
      entries[name] = entry
    }
    try scanner.end()
    try checkContiguous(bodyCount: bodyCount)
  }

  private static func metadata(
    _ scanner: inout HeaderScanner
  ) throws(SafetensorsFault) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.object { scanner, key throws(SafetensorsFault) in
      metadata[key] = try scanner.string()
    }
    return metadata
  }

  private static func entry(_ scanner: inout HeaderScanner) throws(SafetensorsFault) -> Entry {
    let start = scanner.offset
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key throws(SafetensorsFault) in
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default:
        throw scanner.fault("dtype, shape and data_offsets, each once", "\"\(key)\"", start)
      }
    }
    guard let type, let shape, let offsets else {
      throw scanner.fault("dtype, shape and data_offsets", "fewer", start)
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw scanner.fault("a begin and an end", "data_offsets \(offsets)", start)
    }
    return Entry(type: type, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  private static func check(
    _ entry: Entry, name: String, bodyCount: Int, at offset: Int
  ) throws(SafetensorsFault) {
    guard let size = sizes[entry.type] else {
      throw SafetensorsFault(offset, expected: "a known type", found: "\(name) of \(entry.type)")
    }
    var count = size
    for extent in entry.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw SafetensorsFault(
          offset, expected: "a size that fits", found: "\(name) of \(entry.shape)")
      }
      count = product
    }
    guard count == entry.bytes.count else {
      throw SafetensorsFault(
        offset, expected: "\(count) bytes for \(name)", found: "\(entry.bytes.count)")
    }
    guard entry.bytes.upperBound <= bodyCount else {
      throw SafetensorsFault(
        offset, expected: "at least \(entry.bytes.upperBound) bytes of tensors (\(name))",
        found: "\(bodyCount)")
    }
  }

  /// Tensors lie one after the other from the first byte to the last: nothing overlaps or is left
  /// over.
  private func checkContiguous(bodyCount: Int) throws(SafetensorsFault) {
    let inOrder = entries.sorted { first, second in
      (first.value.bytes.lowerBound, first.value.bytes.upperBound)
        < (second.value.bytes.lowerBound, second.value.bytes.upperBound)
    }
    var end = 0
    for (name, entry) in inOrder {
      guard entry.bytes.lowerBound == end else {
        throw SafetensorsFault(
          0, expected: "\(name) to begin at \(end)", found: "\(entry.bytes.lowerBound)")
      }
      end = entry.bytes.upperBound
    }
    guard end == bodyCount else {
      throw SafetensorsFault(0, expected: "\(end) bytes of tensors", found: "\(bodyCount)")
    }
  }
}

/// Where a header breaks the format.
struct SafetensorsFault: Error, Equatable {
  var offset: Int
  var expected: String
  var found: String

  init(_ offset: Int, expected: String, found: String) {
    self.offset = offset
    self.expected = expected
    self.found = found
  }
}
