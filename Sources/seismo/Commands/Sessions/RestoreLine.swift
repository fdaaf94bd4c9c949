import ArgumentParser
import Sessions
import Signals
import Training

extension ListSessions {
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
