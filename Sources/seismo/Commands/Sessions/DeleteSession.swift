import ArgumentParser
import Foundation
import Sessions
import Signals

extension ListSessions {
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
}
