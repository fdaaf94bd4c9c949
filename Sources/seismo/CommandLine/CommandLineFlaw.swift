import Foundation
import Telemetry
import Training

/// A command or an option that the program has not, and what was probably meant.
struct CommandLineFlaw: CustomStringConvertible {
  let description: String

  private init(_ what: String, meant: String?, at path: [String]) {
    let more = "'\(path.joined(separator: " ")) --help' says more"
    description = meant.map { "\(what): did you mean '\($0)'?" } ?? "\(what); \(more)"
  }

  /// The first flaw in `words`, the command line without the program's name; nil where each command
  /// and option is one.
  init?(in words: [String], of program: CommandTree) {
    var walk = Walk(command: program, path: [program.commandName])
    for word in words {
      if word == "--" { return nil }
      if let flaw = walk.take(word) {
        self = flaw
        return
      }
    }
    return nil
  }

  /// How far the words have led down the tree of commands.
  private struct Walk {
    var command: CommandTree
    var path: [String]
    private var hasArgument = false
    private var isValue = false

    init(command: CommandTree, path: [String]) {
      self.command = command
      self.path = path
    }

    mutating func take(_ word: String) -> CommandLineFlaw? {
      if isValue {
        isValue = false
        return nil
      }
      if word.hasPrefix("-"), word.count > 2, !word.isNegativeNumber { return takeOption(word) }
      guard !word.hasPrefix("-"), !hasArgument else { return nil }
      return takeCommand(word)
    }

    private mutating func takeOption(_ word: String) -> CommandLineFlaw? {
      let isLong = word.hasPrefix("--")
      let name = String(word.drop { $0 == "-" }.prefix { $0 != "=" })
      let usual = command.defaultSubcommand.flatMap(command.command)
      if isLong, let option = command.option(name) ?? usual?.option(name) {
        isValue = option.takesValue && !word.contains("=")
        return nil
      }
      if name.hasPrefix("generate-completion-script") || name.hasPrefix("experimental-") {
        return nil
      }
      let shown = String(word.prefix { $0 != "=" })
      if path.count == 1, command.command("train")?.option(name) != nil {
        return CommandLineFlaw(
          "\(shown) needs a command", meant: "seismo train --\(name)", at: path)
      }
      return CommandLineFlaw(
        "no option \(shown) of \(path.joined(separator: " "))",
        meant: (name.nearestOption(of: command) ?? usual.flatMap(name.nearestOption)).map {
          "--\($0)"
        }, at: path)
    }

    private mutating func takeCommand(_ word: String) -> CommandLineFlaw? {
      guard let subcommands = command.subcommands, !subcommands.isEmpty else {
        hasArgument = true
        return nil
      }
      if let next = command.command(word) {
        command = next
        path.append(word)
        return nil
      }
      let nearest = word.nearest(among: command.commandNames)
      let meant = nearest.map { (path + [$0]).joined(separator: " ") }
      if let usual = command.defaultSubcommand.flatMap(command.command),
        meant == nil || FileManager.default.fileExists(atPath: word)
      {
        command = usual
        hasArgument = true
        return nil
      }
      return CommandLineFlaw("no command '\(word)'", meant: meant, at: path)
    }
  }
}

extension String {
  /// The option of `command` that this was probably meant to be, under its own name or one that it
  /// has elsewhere.
  fileprivate func nearestOption(of command: CommandTree) -> String? {
    if command.option(self) != nil { return self }
    let names = command.optionNames
    let elsewhere = RunOptionCatalog.namesElsewhere.filter { names.contains($0.value) }
    let nearest = nearest(among: names + elsewhere.keys)
    return nearest.map { elsewhere[$0] ?? $0 }
  }

  var isNegativeNumber: Bool {
    guard hasPrefix("-"), let next = dropFirst().first else { return false }
    return next.isASCII && (next.isNumber || next == ".") || self == "-inf" || self == "-nan"
  }
}

/// The command line as the parser is to read it.
enum CommandLineWords {
  /// In a sweep a flag has a list of values; alone it is on as in `train`: `--qk-layernorm` becomes
  /// `--qk-layernorm=on`, `--no-qk-layernorm` becomes `--qk-layernorm=off`.
  private static func withFlagValues(_ words: [String]) -> [String] {
    words.enumerated().map { index, word in
      guard word.hasPrefix("--"), !word.contains("=") else { return word }
      let name = String(word.dropFirst(2))
      if name.hasPrefix("no-"), isFlag(String(name.dropFirst(3))) {
        return "--\(name.dropFirst(3))=off"
      }
      let isAlone = index + 1 >= words.count || words[index + 1].hasPrefix("--")
      return isAlone && isFlag(name) ? word + "=on" : word
    }
  }

  private static func isFlag(_ name: String) -> Bool {
    if case .flag? = RunOptionCatalog.option(name)?.kind { true } else { false }
  }

  /// Takes what begins like a negative number as a value, where the parser would take it for an
  /// option: `--lr -1` becomes `--lr=-1`, so that what is wrong with the value can be said.
  static func readable(_ words: [String]) -> [String] {
    let words = words.first == "sweep" ? withFlagValues(words) : words
    var readable: [String] = []
    for (index, word) in words.enumerated() {
      guard word.isNegativeNumber, let last = readable.last else {
        readable.append(word)
        continue
      }
      if last == "--" || readable.contains("--") {
        readable.append(word)
      } else if last.hasPrefix("--"), !last.contains("=") {
        readable[readable.count - 1] = "\(last)=\(word)"
      } else if !words[index...].dropFirst().contains(where: { $0.hasPrefix("--") }) {
        readable += ["--", word]
      } else {
        readable.append(word)
      }
    }
    return readable
  }
}
