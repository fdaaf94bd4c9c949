/// What can be wrong with a checkpoint, or with writing one.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// Nothing lies at the path.
  case missing(path: String)
  /// No adapter of PEFT's lies at the path.
  case noAdapter(path: String)
  /// An adapter of PEFT's that does more than a plain LoRA of the model's matrices.
  case otherAdapter(path: String, found: String)
  /// The teacher of a run lies no longer where it did.
  case teacherGone(path: String)
  /// It is there and cannot be read; the reason is the system's own word.
  case unreadable(path: String, reason: String)
  /// A file or folder that is something else.
  case foreign(path: String, found: String)
  /// What it writes is a tokenizer's ids.
  case noText(path: String, vocabulary: Int)
  /// A model of another program's that has other layers.
  case otherLayers(path: String, found: String)
  /// A file of another program's model that is not there with the others.
  case fileMissing(path: String, file: String)
  /// A tensor that another program's description asks for is not in its file.
  case weightMissing(path: String, tensor: String)
  /// Written by a later version of Seismo.
  case newer(path: String, version: Int, supported: Int)
  /// Not what was written; the offset, where one is known, is in bytes from the start of the file.
  case damaged(path: String, offset: Int?, expected: String, found: String)
  /// A tensor the model needs is not there.
  case tensorMissing(path: String, tensor: String)
  /// A tensor of another shape or type than the model's.
  case tensorUnfit(path: String, tensor: String, expected: String, found: String)
  /// A weight that is no number or infinite.
  case notFinite(path: String, tensor: String)
  /// The disk is full, the folder is read-only, and the like.
  case unwritable(path: String, reason: String)

  package var description: String {
    switch self {
    case .missing(let path):
      "\(path): no checkpoint there; give the path of a folder step-000000000 or of the folder "
        + "that holds such folders"
    case .noAdapter(let path):
      "\(path): no adapter_config.json in it; give the folder that PEFT has written, or a checkpoint of"
        + " a run with --method lora"
    case .otherAdapter(let path, let found):
      "\(path): \(found); give a plain LoRA beside matrices between this model's hidden layers"
    case .teacherGone(let path):
      "\(path): the teacher of the run is there no more; put it back, or resume with --distil and the "
        + "place where it is now"
    case .unreadable(let path, let reason):
      "\(path): cannot be read (\(reason)); give a checkpoint this account may read"
    case .foreign(let path, let found):
      "\(path): not a checkpoint of Seismo (\(found)); give a folder that Seismo has written"
    case .noText(let path, let vocabulary):
      "\(path): its \(vocabulary) tokens are a tokenizer's, not bytes, so that what it writes is no text"
        + " here; give a model of bytes, or ids with 'seismo sample --prompt-ids'"
    case .otherLayers(let path, let found):
      "\(path): its layers are not this program's (\(found)); give a checkpoint of Seismo, or a "
        + "Persimmon, GPT-2 or Llama as transformers writes it"
    case .fileMissing(let path, let file):
      "\(path): \(file) is not there, and holds weights of the model; copy it to the others, or have "
        + "transformers write the folder anew with save_pretrained"
    case .weightMissing(let path, let tensor):
      "\(path): has no tensor \(tensor), which its config.json asks for; copy the file anew, or have "
        + "transformers write the folder anew with save_pretrained"
    case .newer(let path, let version, let supported):
      "\(path): written by a newer Seismo (format \(version), this one reads up to \(supported)); "
        + "use that version"
    case .damaged(let path, let offset, let expected, let found):
      "\(path): damaged\(offset.map { " at byte \($0)" } ?? ""), expected \(expected), found \(found); "
        + "use another checkpoint"
    case .tensorMissing(let path, let tensor):
      "\(path): has no tensor \(tensor); use a checkpoint of a model of this kind and size"
    case .tensorUnfit(let path, let tensor, let expected, let found):
      "\(path): \(tensor) should be \(expected) and is \(found); "
        + "use a checkpoint of a model of this kind and size"
    case .notFinite(let path, let tensor):
      "\(path): \(tensor) holds numbers that are not finite, as after a divergence; use an earlier "
        + "checkpoint"
    case .unwritable(let path, let reason):
      "\(path): cannot be written (\(reason)); free space or choose another place"
    }
  }
}
