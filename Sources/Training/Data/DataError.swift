/// What can be wrong with the bytes a run is to learn from.
package enum DataError: Error, Equatable, CustomStringConvertible {
  /// Nothing lies at the path.
  case missing(path: String)
  /// It is there and cannot be read; the reason is the system's own word.
  case unreadable(path: String, reason: String)
  /// A file, or all the files of a folder, hold no byte at all.
  case empty(path: String)
  /// Fewer bytes than one training window and one held-out window take.
  case tooShort(path: String, bytes: Int, needed: Int, context: Int, unit: String = "bytes")
  /// Ids of two bytes each, and a file has half of one.
  case halfToken(path: String, bytes: Int)
  /// An id that the model has no row for, so many bytes into the file.
  case unknownToken(path: String, token: Int, offset: Int, vocabulary: Int)
  /// A file lost bytes after it was opened.
  case shrank(path: String, expected: Int, found: Int)

  package var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file or folder; give the path of a file or folder, or - for standard input"
    case .unreadable(let path, let reason):
      "\(path): cannot be read (\(reason)); give a file or folder this account may read"
    case .empty(let path):
      "\(path): holds no bytes; give a file or folder with text or other bytes to learn from"
    case .tooShort(let path, let bytes, let needed, let context, let unit):
      "\(path): \(bytes) \(unit) are too few, a context of \(context) needs \(needed); "
        + "give more \(unit) or a shorter context"
    case .halfToken(let path, let bytes):
      "\(path): \(bytes) bytes are no whole number of tokens, which have two each; give ids as unsigned"
        + " 16-bit numbers, little-endian"
    case .unknownToken(let path, let token, let offset, let vocabulary):
      "\(path): the token at byte \(offset) is \(token), and the model has \(vocabulary); give the ids"
        + " of its own tokenizer as unsigned 16-bit numbers, or another --vocabulary"
    case .shrank(let path, let expected, let found):
      "\(path): shrank from \(expected) to \(found) bytes while in use; "
        + "restore the file and resume from the last checkpoint"
    }
  }
}
