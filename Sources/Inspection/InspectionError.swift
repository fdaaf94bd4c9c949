/// What can be wrong with the files of a model. The description is one line.
package enum InspectionError: Error, Equatable, CustomStringConvertible {
  case nothingThere(path: String)
  /// A folder without a model.
  case noModel(path: String)
  case notSafetensors(path: String)
  /// An index that is none.
  case badIndex(path: String, reason: String)
  /// A file that an index or the number in the others' names promises.
  case shardMissing(path: String, shard: String)
  case notInShard(path: String, tensor: String, shard: String)
  case twice(tensor: String, first: String, second: String)
  /// Tensors with values that are NaN or infinite.
  case notFinite(path: String, tensors: [String], values: Int)

  /// What its outputs come from is not in its own tensors alone.
  case adapted(path: String)
  /// Less text than comparing passages takes.
  case tooFewPassages(data: String)

  package var description: String {
    switch self {
    case .tooFewPassages(let data):
      "\(data): less than three windows of text, too little to compare passages; give more with --data"
    case .nothingThere(let path):
      "\(path): nothing is there; give a safetensors file, or a folder with one"
    case .noModel(let path):
      "\(path): holds no safetensors file; give the file, or the folder it lies in"
    case .notSafetensors(let path):
      "\(path): not a safetensors file; give one, or a folder with one"
    case .badIndex(let path, let reason):
      "\(path): not an index of shards (\(reason)); get the file again"
    case .shardMissing(let path, let shard):
      "\(path): its shard \(shard) is not there; get the whole model"
    case .notInShard(let path, let tensor, let shard):
      "\(path): \(tensor) should be in \(shard) and is not; get index and shards of one model"
    case .twice(let tensor, let first, let second):
      "\(second): \(tensor) is in \(first) too; take away the file that is not of this model"
    case .notFinite(let path, let tensors, let values):
      "\(path): \(values) value\(values == 1 ? " is" : "s are") not finite in"
        + " \(Self.words(tensors)); use an earlier checkpoint"
    case .adapted(let path):
      "\(path): has an adapter beside its weights: 'seismo finetune \(path) --merge-into FOLDER' makes"
        + " one of them"
    }
  }

  private static func words(_ tensors: [String]) -> String {
    let rest = tensors.count - 3
    let named = tensors.prefix(3).joined(separator: ", ")
    return rest > 0 ? "\(named) and \(rest) more" : named
  }
}
