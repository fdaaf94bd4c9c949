import Foundation
import Runs
import Signals

extension RunPlan {
  /// Sees to it that what is recorded behind the checkpoint is not left unawares: a person at a
  /// terminal is asked where there is a choice, all others are told.
  mutating func settleLine(branch name: String?, watcher: Watcher) throws {
    if let name {
      try branchOff(name)
    } else if let back = SteppingBack(self) {
      guard watcher == .dashboard, back.hasChoice else { return Seismo.report(back.warning) }
      if let name = try back.ask() { try branchOff(name) }
    }
  }
}

extension SteppingBack {
  /// Asks on the terminal.
  /// - Returns: the name of a branch, nil to go on here.
  /// - Throws: a failure where no answer comes.
  fileprivate func ask() throws(Failure) -> String? {
    let step = NumberText.grouped(step)
    StandardOutput.say("\(place), and you go on from step \(step).\n")
    StandardOutput.say("enter goes on here: the later steps stay as line \(line)\n")
    while true {
      StandardOutput.say(
        "or the name of a session to go on in, which leaves this one as it is: ")
      guard let answer = readLine()?.trimmingCharacters(in: .whitespaces) else {
        throw Failure(.usage, "no answer: \(warning)")
      }
      if answer.isEmpty { return nil }
      do {
        _ = try RunPlan.branchPath(answer, beside: session)
        return answer
      } catch {
        StandardOutput.say("\(error)\n")
      }
    }
  }
}
