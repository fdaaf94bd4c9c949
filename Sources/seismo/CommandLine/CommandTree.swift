import ArgumentParser
import Foundation

/// The program's commands and options, as the parser itself tells them.
struct CommandTree: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String
    }

    let kind: String
    let names: [Name]?

    var longNames: [String] { (names ?? []).filter { $0.kind == "long" }.map(\.name) }
    var takesValue: Bool { kind == "option" }
  }

  let commandName: String
  let shouldDisplay: Bool?
  let defaultSubcommand: String?
  let arguments: [Argument]?
  let subcommands: [CommandTree]?

  private struct Dump: Decodable {
    let command: CommandTree
  }

  /// Nil where the parser tells of itself in another way than this reads.
  static var ofProgram: CommandTree? {
    try? JSONDecoder().decode(Dump.self, from: Data(Seismo._dumpHelp().utf8)).command
  }

  func command(_ name: String) -> CommandTree? {
    subcommands?.first { $0.commandName == name }
  }

  func option(_ name: String) -> Argument? {
    arguments?.first { $0.longNames.contains(name) }
  }

  var optionNames: [String] { arguments?.flatMap(\.longNames) ?? [] }

  /// The commands that help shows.
  var commandNames: [String] {
    subcommands?.filter { $0.shouldDisplay != false }.map(\.commandName) ?? []
  }
}
