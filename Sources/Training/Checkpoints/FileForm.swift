import Kernels
package import Models

/// How a tensor lies in a file of its family's, where that is another way than in the engine.
///
/// GPT-2 keeps weights as [in, out], and the rows of what makes queries, keys and values as [q|k|v][H]
/// where the engine has [H][q|k|v].
package struct FileForm: Sendable, Equatable {
  var isTransposed = false
  /// Heads whose rows are regrouped; 1 to leave them.
  var heads = 1

  static let plain = FileForm()

  var isPlain: Bool { !isTransposed && heads == 1 }

  private init() {}

  /// Of a tensor of the model's own, or of an adapter's beside it.
  package init(_ tensor: ParameterTensor, _ configuration: ModelConfiguration) {
    // A ladder has sizes of its own, and no family has files of it.
    guard configuration.architecture == .gpt2, !tensor.name.hasPrefix("ladder.") else { return }
    isTransposed = tensor.role.isHiddenMatrix
    let isOfHeads =
      [".c_attn.weight", ".c_attn.bias", ".c_attn.lora_B.weight"].contains {
        tensor.name.hasSuffix($0)
      }
    heads = isOfHeads ? configuration.heads : 1
  }

  /// As the file tells it.
  func shape(of tensor: ParameterTensor) -> [Int] {
    isTransposed ? tensor.shape.reversed() : tensor.shape
  }

  /// From the engine's order to the file's.
  /// - Shapes: `values` and what is returned [rows, columns], transposed where it is
  func stored(_ values: UnsafeBufferPointer<Float>, rows: Int) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    forEachPlace(rows: rows, columns: values.count / rows) { own, stored in
      result[stored] = values[own]
    }
    return result
  }

  /// From the file's order to the engine's.
  func restore(
    _ stored: UnsafeBufferPointer<Float>, rows: Int, into values: UnsafeMutableBufferPointer<Float>
  ) {
    forEachPlace(rows: rows, columns: values.count / rows) { own, place in
      values[own] = stored[place]
    }
  }

  /// The engine's place of the number that the file has at `index`, both from the tensor's first on.
  package func place(ofStored index: Int, in tensor: ParameterTensor) -> Int {
    guard !isPlain else { return index }
    let rows = tensor.shape[0]
    let columns = tensor.count / rows
    let (row, column) =
      isTransposed ? (index % rows, index / rows) : (index / columns, index % columns)
    return ownRow(row, of: rows) * columns + column
  }

  private func forEachPlace(
    rows: Int, columns: Int, _ body: (_ own: Int, _ stored: Int) -> Void
  ) {
    for row in 0..<rows {
      let first = ownRow(row, of: rows) * columns
      for column in 0..<columns {
        body(first + column, isTransposed ? column * rows + row : row * columns + column)
      }
    }
  }

  /// Row (part, h, i) of the file is row (h, part, i) of the engine.
  private func ownRow(_ row: Int, of rows: Int) -> Int {
    guard heads > 1 else { return row }
    let width = rows / (3 * heads)
    let (part, head, index) = (row / (heads * width), row / width % heads, row % width)
    return (3 * head + part) * width + index
  }
}

extension SafetensorsFile {
  /// Reads a tensor to its place, from the form in which the file has it.
  func read(
    _ name: String, into buffer: FloatBuffer, at tensor: ParameterTensor, in form: FileForm
  ) throws(CheckpointError) {
    let values = UnsafeMutableBufferPointer(
      start: buffer.base + tensor.offset, count: tensor.count)
    guard !form.isPlain else { return try read(name, shape: tensor.shape, into: values) }
    let stored = FloatBuffer(untouched: tensor.count)
    let memory = UnsafeMutableBufferPointer(start: stored.base, count: tensor.count)
    try read(name, shape: form.shape(of: tensor), into: memory)
    form.restore(UnsafeBufferPointer(memory), rows: tensor.shape[0], into: values)
  }
}
