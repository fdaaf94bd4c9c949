import Foundation

/// What a person who leaves needs to come back.
struct Farewell {
  let session: String
  let checkpoint: URL?
  var good: URL?

  private var lastCheckpoint: String? { checkpoint.map { Invocation.shown($0.path) } }

  /// The way on, in half a line.
  var comeBack: String {
    guard let lastCheckpoint else { return "recorded in \(Invocation.shown(session))" }
    return "go on with '\(Invocation.command) train --resume \(lastCheckpoint)'"
  }

  var lastGood: String {
    if let good { return "the last good checkpoint is \(Invocation.shown(good.path))" }
    return lastCheckpoint == nil
      ? "no checkpoint was written; --checkpoint-every N writes them"
      : "no checkpoint is from before the trouble; --checkpoint-every N writes more"
  }

  func print() {
    var lines = [("session", Invocation.shown(session))]
    if let lastCheckpoint {
      lines.append(("checkpoint", lastCheckpoint))
      lines.append(("go on", "\(Invocation.command) train --resume \(lastCheckpoint)"))
    }
    lines.append(("look back", "\(Invocation.command) replay \(Invocation.shown(session))"))
    write(lines)
  }

  func printDetached() {
    write([
      ("session", Invocation.shown(session)),
      ("goes on", "without a screen, in a session of its own"),
      ("come back", "\(Invocation.command) watch \(Invocation.shown(session))"),
    ])
  }

  private func write(_ lines: [(label: String, text: String)]) {
    for line in lines {
      let label = line.label.padding(toLength: 12, withPad: " ", startingAt: 0)
      StandardOutput.say("\(label)\(line.text)\n")
    }
  }
}
