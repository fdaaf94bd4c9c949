package import Telemetry

/// A command that `run.toml` gives at a step.
package struct ScriptedCommand: Sendable, Equatable, Codable {
  package let step: Int
  package let command: Command

  package init(step: Int, command: Command) {
    self.step = step
    self.command = command
  }

  private enum Key: String, CodingKey {
    case step, command
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    step = try container.decode(Int.self, forKey: .step)
    command = try Command(words: container.decode(String.self, forKey: .command))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(step, forKey: .step)
    try container.encode(command.words, forKey: .command)
  }
}
