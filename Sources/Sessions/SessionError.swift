import Formats
import Foundation
import GRDB

/// Why a session cannot be read or written. The description is one line: what, where, what to do.
package enum SessionError: Error, Equatable {
  case absent(path: String)
  /// Neither a path nor a session's name.
  case unknown(name: String, nearest: String?)
  case noLine(path: String, number: Int, count: Int)
  case exists(path: String)
  case taken(path: String)
  case alreadyWritten(path: String)
  case notASession(path: String, found: String)
  case newer(path: String, found: Int, known: Int)
  case damaged(path: String, what: String)
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: FileObstacle)
  case unchangeable(path: String, reason: FileObstacle)
  case recordsUnwritten(path: String, records: Int, reason: FileObstacle)
}

extension SessionError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .absent(let path):
      "no session at \(path): 'seismo sessions' lists what is recorded"
    case .unknown(let name, let nearest):
      "no session at \(name): " + (nearest.map { "did you mean \($0)? " } ?? "")
        + "'seismo sessions' lists what is recorded"
    case .noLine(let path, let number, let count):
      "\(path) has no line \(number): "
        + (count == 1 ? "it has one, leave @\(number) out" : "its lines are 1 to \(count)")
    case .exists(let path):
      "\(path) exists already: name another file with --session, or go on with --resume"
    case .taken(let path):
      "\(path) exists already: choose another name"
    case .alreadyWritten(let path):
      "\(path) is being written by another process: look on with 'seismo watch \(path)', "
        + "or name another file with --session"
    case .notASession(let path, let found):
      "\(path) is no session of Seismo but \(found): give a .seismo file"
    case .newer(let path, let found, let known):
      "\(path) has format \(found), this Seismo knows \(known): read it with a newer Seismo"
    case .damaged(let path, let what):
      "\(path) is damaged: \(what): go back to a copy or to the run's last checkpoint"
    case .unreadable(let path, let reason):
      "cannot read \(path): \(reason): check its permissions and its folder's"
    case .unwritable(let path, let reason):
      "cannot write \(path): \(reason): \(reason.remedy), "
        + "or name another file with --session"
    case .unchangeable(let path, let reason):
      "cannot change \(path): \(reason): \(reason.remedy)"
    case .recordsUnwritten(let path, let records, let reason):
      "\(records) records could not be written to \(path): \(reason): "
        + "\(reason.remedy) sooner, or name another file with --session"
    }
  }
}

extension SessionError {
  /// What an error of the database means for the file at `path`.
  init(reading path: String, _ error: any Error) {
    if let error = error as? SessionError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self = .unreadable(path: path, reason: "\(error)")
      return
    }
    switch error.resultCode {
    case .SQLITE_NOTADB:
      self = .notASession(path: path, found: "another kind of file")
    case .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_MISMATCH:
      self = .damaged(path: path, what: Self.words(of: error))
    default:
      self = .unreadable(path: path, reason: Self.words(of: error))
    }
  }

  init(writing path: String, _ error: any Error) {
    if let error = error as? SessionError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self = .unwritable(path: path, reason: .other("\(error)"))
      return
    }
    switch error.resultCode {
    case .SQLITE_NOTADB:
      self = .notASession(path: path, found: "another kind of file")
    case .SQLITE_CORRUPT, .SQLITE_ERROR:
      self = .damaged(path: path, what: Self.words(of: error))
    default:
      self = .unwritable(path: path, reason: Self.obstacle(of: error))
    }
  }

  /// What the database says, without the statement; one line.
  private static func words(of error: any Error) -> String { obstacle(of: error).description }

  /// What an error of the database means for a file that it writes.
  static func obstacle(of error: any Error) -> FileObstacle {
    guard let error = error as? DatabaseError else { return .other("\(error)") }
    return switch error.resultCode {
    case .SQLITE_FULL: .fullDisk
    case .SQLITE_READONLY: .readOnly
    case .SQLITE_BUSY: .locked
    default: .other(firstLine(of: error.message ?? "\(error.resultCode)"))
    }
  }

  /// A message about a damaged schema goes on with the schema's own lines.
  private static func firstLine(of message: String) -> String {
    let line = message.prefix { !$0.isNewline }
    return line.components(separatedBy: " - ").first ?? String(line)
  }
}
