import Foundation
import Sessions

extension SessionReference {
  /// What every command says of a session that is named.
  static let words = "a .seismo file, or a name that 'seismo sessions' lists"

  /// The file of a session that is meant as a whole.
  static func file(_ words: String) throws -> String {
    let reference = try SessionReference(words)
    guard let line = reference.line else { return reference.path }
    throw Failure.usage("\(words): this is for the whole session: leave @\(line) out")
  }

  /// A session, and its line where that is said apart.
  init(_ words: String, line: Int?) throws {
    let reference = try SessionReference(words)
    if let line, let other = reference.line, line != other {
      throw Failure.usage("\(words) and --line \(line): give one of them")
    }
    self.init(path: reference.path, line: line ?? reference.line)
  }

  /// As a person types it.
  var shown: String { Invocation.shown(path + suffix) }
}
