/// Where the records come from, and whether commands can go there.
package struct RunSource: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// A trainer in this process.
    case live
    /// A run of another process.
    case watch
    /// A recording.
    case replay
  }

  package var kind: Kind
  package var name: String
  /// The session as a person would type it.
  package var path: String?
  /// The session's file.
  package var file: String?
  /// Why no command can be given; nil where the source obeys.
  package var refusal: String?
  /// Who gives the commands of this screen, as events show.
  package var author: String
  /// Whether another screen waits for the person to come back: esc, with nothing else to go out of,
  /// leaves.
  package var isVisited = false

  package init(
    kind: Kind, name: String, path: String? = nil, file: String? = nil, refusal: String? = nil,
    author: String = "you"
  ) {
    self.kind = kind
    self.name = name
    self.path = path
    self.file = file
    self.refusal = refusal
    self.author = author
  }

  package var obeys: Bool { refusal == nil }
}
