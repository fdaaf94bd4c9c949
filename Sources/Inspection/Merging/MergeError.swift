/// Why models cannot be merged. The description is one line.
package enum MergeError: Error, Equatable, CustomStringConvertible {
  case sameTwice(path: String)
  /// Two of one run, or of one kind, which both must be.
  case otherModel(path: String, found: String, first: String, expected: String)
  case missing(path: String, tensor: String, first: String)
  case otherShape(path: String, tensor: String, shape: [Int], first: String, expected: [Int])
  /// What is no weight, and yet not the same in both.
  case notEqual(path: String, tensor: String, first: String)
  case unreadableNumbers(path: String, tensor: String, type: String)
  case notFinite(path: String, tensor: String)
  case noFloats(path: String)
  /// Qk-layernorm or soft caps.
  case runsOtherwise(path: String, first: String)
  /// By an option that keeps weights in another form too.
  case secondForm(path: String, option: String)
  case adapted(path: String)
  case noCommonCheckpoint(paths: [String])
  case baseNeeded(method: MergeKind, path: String)
  case outputExists(path: String)

  package var description: String {
    switch self {
    case .sameTwice(let path):
      "\(path): given twice; give each part once"
    case .otherModel(let path, let found, let first, let expected):
      "\(path): holds \(found), \(first) \(expected); give checkpoints of one shape"
    case .missing(let path, let tensor, let first):
      "\(path): has no tensor \(tensor), which \(first) has; give models of one shape"
    case .otherShape(let path, let tensor, let shape, let first, let expected):
      "\(path): \(tensor) is \(shape), in \(first) \(expected); give models of one shape"
    case .notEqual(let path, let tensor, let first):
      "\(path): \(tensor) is no weight and is not what \(first) has; give models of one origin"
    case .unreadableNumbers(let path, let tensor, let type):
      "\(path): \(tensor) is stored as \(type), whose scales lie elsewhere; give weights in F32,"
        + " BF16 or F16"
    case .notFinite(let path, let tensor):
      "\(path): \(tensor) holds numbers that are not finite, as after a divergence; use an earlier"
        + " checkpoint"
    case .noFloats(let path):
      "\(path): no tensor of floating-point numbers; give a model's weights"
    case .runsOtherwise(let path, let first):
      "\(path): runs with another qk-layernorm, soft cap or capacity than \(first), and weights alone"
        + " are merged; give parts that run alike"
    case .secondForm(let path, let option):
      "\(path): trained with --\(option), which keeps its weights in another form too; give models that"
        + " are not"
    case .adapted(let path):
      "\(path): has an adapter beside its weights; make one model of it with 'seismo finetune \(path)"
        + " --merge-into FOLDER' first"
    case .noCommonCheckpoint(let paths):
      "\(paths.joined(separator: ", ")): have no earlier checkpoint in common; give the one they come"
        + " from with --base"
    case .baseNeeded(let method, let path):
      "\(path): not a checkpoint of this program, so that nothing tells what it comes from; give that"
        + " with --base, or --method mean for \(method.rawValue)"
    case .outputExists(let path):
      "\(path): is there already; choose another --output"
    }
  }
}
