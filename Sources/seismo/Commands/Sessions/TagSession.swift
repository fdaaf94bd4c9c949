import ArgumentParser
import Sessions

extension ListSessions {
  struct Tag: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add tags to a session, or take them away; alone it says which there are.")

    @Argument(help: "a .seismo file, or a name in sessions/") var session: String
    @Argument(help: "words without blanks or commas") var tags: [String] = []
    @Flag(help: "take these tags away") var remove = false

    mutating func validate() throws {
      if remove, SessionFiles.tags(in: tags.joined(separator: " ")).isEmpty {
        throw ValidationError("--remove: name the tags to take away")
      }
    }

    mutating func run() throws {
      let path = try SessionReference.file(session)
      let files = SessionFiles(path: path)
      let given = SessionFiles.tags(in: tags.joined(separator: " "))
      var present = try files.tags()
      if !given.isEmpty {
        present.removeAll { given.contains($0) }
        if !remove { present += given }
        try files.set(tags: present)
      }
      let words = present.isEmpty ? "no tags" : "tags " + present.joined(separator: ", ")
      try StandardOutput.print("\(Invocation.shown(path)) has \(words)")
    }
  }
}
