/// A safetensors file, its header read and checked; tensors are read one at a time.
///
/// - Source: the format is eight bytes of header length (little-endian), a JSON header, the
///   tensors' bytes one after the other (github.com/huggingface/safetensors).
package struct SafetensorsFile: Sendable {
  package var path: String { input.path }
  package var names: [String] { header.entries.keys.sorted() }
  package var tensorCount: Int { header.entries.count }
  package var metadata: [String: String] { header.metadata }

  private let input: CheckpointInput
  private let header: SafetensorsHeader
  private let bodyStart: Int

  /// - Throws: `missing`, `unreadable`, `damaged`.
  package init(path: String) throws(CheckpointError) {
    input = try CheckpointInput(path: path)
    guard input.count >= 8 else {
      throw .damaged(
        path: path, offset: 0, expected: "eight bytes of header length",
        found: "\(input.count) bytes in all")
    }
    let length = try input.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    let longest = min(input.count - 8, SafetensorsHeader.longest)
    guard length <= UInt64(longest) else {
      throw .damaged(
        path: path, offset: 0, expected: "a header of at most \(longest) bytes", found: "\(length)")
    }
    bodyStart = 8 + Int(length)
    let json = try input.bytes(at: 8, count: Int(length))
    do throws(SafetensorsFault) {
      header = try SafetensorsHeader(json: json, bodyCount: input.count - bodyStart)
    } catch {
      throw .damaged(
        path: path, offset: 8 + error.offset, expected: error.expected, found: error.found)
    }
  }

  /// Whether there is a tensor of that name.
  package func contains(_ name: String) -> Bool {
    header.entries[name] != nil
  }

  /// Reads a tensor of Float32 in the shape the model has.
  /// - Throws: `tensorMissing`, `tensorUnfit` for another shape or type, `unreadable`, `damaged`.
  package func read(
    _ name: String, shape: [Int], into values: UnsafeMutableBufferPointer<Float>
  ) throws(CheckpointError) {
    precondition(values.count == shape.reduce(1, *), "\(shape) into \(values.count) values")
    let entry = try entry(name, shape: shape)
    try input.read(
      at: bodyStart + entry.bytes.lowerBound, into: UnsafeMutableRawBufferPointer(values))
  }

  /// Makes sure that `read` will find the tensor as Float32 in that shape.
  /// - Throws: `tensorMissing`, `tensorUnfit`.
  package func check(_ name: String, shape: [Int]) throws(CheckpointError) {
    _ = try entry(name, shape: shape)
  }

  /// A tensor as the file has it.
  package struct Tensor: Sendable, Hashable {
    package let name: String
    /// As the header spells it, such as `BF16`.
    package let type: String
    package let shape: [Int]
    package let bytes: Int

    package init(name: String, type: String, shape: [Int], bytes: Int) {
      (self.name, self.type, self.shape, self.bytes) = (name, type, shape, bytes)
    }
  }

  /// One of them as the file has it; nil where there is none of that name.
  func tensor(_ name: String) -> Tensor? {
    header.entries[name].map {
      Tensor(name: name, type: $0.type, shape: $0.shape, bytes: $0.bytes.count)
    }
  }

  /// All tensors in the order of their bytes.
  package var tensors: [Tensor] {
    let inOrder = header.entries.sorted {
      ($0.value.bytes.lowerBound, $0.value.bytes.upperBound, $0.key)
        < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound, $1.key)
    }
    return inOrder.map { name, entry in
      Tensor(name: name, type: entry.type, shape: entry.shape, bytes: entry.bytes.count)
    }
  }

  /// Reads a part of a tensor as it is stored: as many bytes as `memory` has, from its byte `offset`
  /// on.
  /// - Throws: `tensorMissing`, `unreadable`, `damaged`.
  package func read(
    _ name: String, from offset: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    guard let entry = header.entries[name] else {
      throw .tensorMissing(path: path, tensor: name)
    }
    precondition(
      offset >= 0 && offset + memory.count <= entry.bytes.count,
      "\(memory.count) bytes at \(offset) of \(entry.bytes.count)")
    try input.read(at: bodyStart + entry.bytes.lowerBound + offset, into: memory)
  }

  private func entry(
    _ name: String, shape: [Int]
  ) throws(CheckpointError) -> SafetensorsHeader.Entry {
    guard let entry = header.entries[name] else {
      throw .tensorMissing(path: path, tensor: name)
    }
    guard entry.type == "F32" && entry.shape == shape else {
      throw .tensorUnfit(
        path: path, tensor: name, expected: "F32 \(shape)", found: "\(entry.type) \(entry.shape)")
    }
    return entry
  }
}
