import Telemetry

/// Why another tool's file cannot be read, or ours cannot be written. The description is one line.
package enum FormatError: Error, Equatable {
  case absent(path: String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  case unknown(path: String, found: String)
  case damaged(path: String, offset: Int, what: String)
  /// Another tool unpacks it; its words go before the path.
  case packed(path: String, by: String, unpack: String)
  case noSamples(path: String)
  case nothingToImport(folder: String)
}

extension FormatError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .absent(let path):
      "\(path) is not there: give a file or a folder of another tool's records"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason): check its permissions"
    case .unwritable(let path, let reason):
      "cannot write \(path): \(reason): choose another place with --output"
    case .unknown(let path, let found):
      "\(path) is \(found): give event files, a .wandb file, metrics.csv, trainer_state.json or "
        + "JSON lines"
    case .damaged(let path, let offset, let what):
      "\(path) is damaged at byte \(offset): \(what): go back to a copy"
    case .packed(let path, let tool, let unpack):
      "\(path) is packed by \(tool): unpack it first: \(unpack) \(ShellWord.quoted(path))"
    case .noSamples(let path):
      "\(path) holds no number with a step: give a file that a training run has logged to"
    case .nothingToImport(let folder):
      "no records in \(folder): give a folder with event files, .wandb files, metrics.csv or "
        + "trainer_state.json"
    }
  }
}
