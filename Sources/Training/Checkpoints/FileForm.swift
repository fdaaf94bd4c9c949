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
  init(_ tensor: ParameterTensor, _ configuration: ModelConfiguration) {
    guard configuration.architecture == .gpt2 else { return }
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

  private func forEachPlace(
    rows: Int, columns: Int, _ body: (_ own: Int, _ stored: Int) -> Void
  ) {
    let width = rows / (3 * heads)
    for row in 0..<rows {
      // Row (h, part, i) of the engine is row (part, h, i) of the file.
      let (head, part, index) = (row / (3 * width), row / width % 3, row % width)
      let place = heads == 1 ? row : (part * heads + head) * width + index
      for column in 0..<columns {
        body(
          row * columns + column, isTransposed ? column * rows + place : place * columns + column)
      }
    }
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
