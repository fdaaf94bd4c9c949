import ArgumentParser
import Sessions

extension ListSessions {
  struct Rename: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a session, and its checkpoints, another name.")

    @Argument(help: .init(stringLiteral: SessionReference.words)) var session: String
    @Argument(help: "the new name, without folder") var name: String

    mutating func validate() throws {
      let ending = SessionSummary.ending
      if name.hasSuffix(ending) { name.removeLast(ending.count) }
      if name.isEmpty || name.hasPrefix(".") || name.contains(where: { $0 == "/" || $0 == "\0" }) {
        throw ValidationError("'\(name)' is no name: give one without / that begins with no dot")
      }
    }

    mutating func run() throws {
      let path = try SessionReference.file(session)
      let renamed = try SessionFiles(path: path).rename(to: name)
      try StandardOutput.print("\(Invocation.shown(path)) is \(Invocation.shown(renamed)) now")
    }
  }
}
