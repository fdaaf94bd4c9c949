import ArgumentParser
import Foundation
import Sessions
import Signals
import Training

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

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a session, after a question.",
      discussion: "Its checkpoints stay unless --checkpoints is given.")

    @Argument(help: .init(stringLiteral: SessionReference.words)) var session: String
    @Flag(help: "remove its checkpoints too") var checkpoints = false
    @Flag(help: "do not ask") var yes = false

    mutating func run() throws {
      let path = try SessionReference.file(session)
      let files = SessionFiles(path: path)
      guard try yes || agrees(files) else {
        try StandardOutput.print("\(Invocation.shown(path)) is kept")
        return
      }
      let hadCheckpoints = files.hasCheckpoints
      try files.remove(withCheckpoints: checkpoints)
      try StandardOutput.print("\(Invocation.shown(path)) is removed")
      guard hadCheckpoints else { return }
      let folder = Invocation.shown(files.checkpoints)
      try StandardOutput.print(
        checkpoints ? "\(folder) is removed" : "\(folder) stays: --checkpoints removes it too")
    }

    private func agrees(_ files: SessionFiles) throws -> Bool {
      guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
        throw Failure.usage("delete asks first, and there is no terminal to ask on: give --yes")
      }
      let summary = SessionSummary(path: files.path)
      let size = NumberText.bytes(Double(summary.bytes))
      let too = checkpoints && files.hasCheckpoints ? " and its checkpoints" : ""
      let steps = NumberText.grouped(summary.steps)
      StandardOutput.say(
        "remove \(Invocation.shown(files.path))\(too), \(steps) steps, \(size)? [y/N] ")
      let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
      return answer == "y" || answer == "yes"
    }
  }

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

  struct Note: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a note to a session, at its last step.")

    @Argument(help: .init(stringLiteral: SessionReference.words)) var session: String
    @Argument(help: "the words") var words: [String]

    mutating func validate() throws {
      let text = words.joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty { throw ValidationError("note: give some words") }
    }

    mutating func run() throws {
      let path = try SessionReference.file(session)
      let text = words.joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
      let step = try SessionFiles(path: path).add(note: text)
      try StandardOutput.print(
        "noted in \(Invocation.shown(path)) at step \(NumberText.grouped(step))")
    }
  }

  struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make an abandoned line the run again.",
      discussion: """
        What the run came to meanwhile is an abandoned line then, so that nothing is lost. \
        Checkpoints stay as they are: 'train --resume' goes on from one of the line's.
        """)

    @Argument(help: "a session and its line, as 'seismo sessions' lists it: NAME@1")
    var line: String

    mutating func run() throws {
      let reference = try SessionReference(line)
      guard let number = reference.line else {
        throw Failure.usage("restore: give a line too, such as \(reference.name)@1")
      }
      let files = SessionFiles(path: reference.path)
      let before = SessionSummary(path: reference.path)
      let steps = try files.restore(line: number)
      if let start = before.abandoned.first(where: { $0.number == number })?.leftAt {
        let left = CheckpointFolder.prefix(ofLine: before.newest.number)
        try CheckpointFolder.setAside(after: start, in: files.checkpoints, as: left)
        try CheckpointFolder.takeBack(
          CheckpointFolder.prefix(ofLine: number), in: files.checkpoints)
      }
      try StandardOutput.print(
        "\(reference.shown) is the run again, with \(NumberText.grouped(steps)) steps")
    }
  }
}
