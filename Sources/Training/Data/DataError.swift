/// What can be wrong with the bytes a run is to learn from.
package enum DataError: Error, Equatable, CustomStringConvertible {
  /// Nothing lies at the path.
  case missing(path: String)
  /// It is there and cannot be read; the reason is the system's own word.
  case unreadable(path: String, reason: String)
  /// A file, or all the files of a folder, hold no byte at all.
  case empty(path: String)
  /// Fewer bytes than one training window and one held-out window take.
  case tooShort(path: String, bytes: Int, needed: Int, context: Int)
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
    case .tooShort(let path, let bytes, let needed, let context):
      "\(path): \(bytes) bytes are too few, a context of \(context) needs \(needed); "
        + "give more bytes or a shorter context"
    case .shrank(let path, let expected, let found):
      "\(path): shrank from \(expected) to \(found) bytes while in use; "
        + "restore the file and resume from the last checkpoint"
    }
  }
}
