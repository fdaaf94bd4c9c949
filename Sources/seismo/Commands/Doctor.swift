import ArgumentParser
import Dashboard
import Formats
import Foundation
import Runs
import Screen
import Sessions
import Terminal
import Training

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the terminal, the machine and the folders.",
    discussion: """
      A line each; what is not as it should be says what to do. Ends with 1 where no run could be \
      recorded here.
      """)

  mutating func run() throws {
    let findings = Self.findings()
    for finding in findings { try StandardOutput.print(finding.line) }
    guard !findings.contains(where: { $0.verdict == .broken }) else {
      throw Failure(.failed, "not everything is in order: see the lines marked 'broken'")
    }
  }

  /// What was looked at, and what to do.
  struct Finding: Equatable {
    enum Verdict: String {
      case ok, note, broken
    }

    let subject: String
    let verdict: Verdict
    let text: String

    var line: String {
      subject.padding(toLength: 12, withPad: " ", startingAt: 0)
        + verdict.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0) + text
    }

    init(_ subject: String, _ verdict: Verdict, _ text: String) {
      self.subject = subject
      self.verdict = verdict
      self.text = text
    }
  }

  static func findings() -> [Finding] {
    terminal() + machine() + [sessions(), room(), control()] + files()
  }
}

extension Doctor {
  private static func terminal() -> [Finding] {
    let environment = ProcessInfo.processInfo.environment
    let type = environment["TERM"] ?? ""
    guard isatty(STDOUT_FILENO) != 0 else {
      return [
        Finding(
          "terminal", .note, "standard output is none: runs print plain lines; TERM is '\(type)'")
      ]
    }
    guard let capabilities = try? Capabilities.detected(ownDescriptions: StateFolder.terminfo)
    else {
      return [
        Finding(
          "terminal", .note,
          "TERM '\(type)' cannot show the dashboard: set TERM, such as xterm-256color")
      ]
    }
    return [
      Finding("terminal", .ok, "TERM '\(type)', shown as \(capabilities.terminalType)"),
      colors(capabilities, environment), symbols(capabilities),
      Finding(
        "mouse", capabilities.hasMouse ? .ok : .note,
        capabilities.hasMouse ? "yes; shift leaves the selection to the terminal" : "no: keys do"),
    ]
  }

  private static func colors(
    _ capabilities: Capabilities, _ environment: [String: String]
  ) -> Finding {
    switch capabilities.colors {
    case .rgb where environment["TMUX"]?.isEmpty == false && !tmuxPassesAllColors():
      Finding(
        "colours", .note,
        "all of them, of which tmux shows this terminal the nearest 256: where it can more, "
          + "tmux set -as terminal-features ',*:RGB' and attach anew")
    case .rgb: Finding("colours", .ok, "all of them")
    case .indexed256 where ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? ""):
      Finding(
        "colours", .note,
        "256: COLORTERM promises all, but \(capabilities.terminalType) has no description that "
          + "asks for them, and tic could not make one in \(StateFolder.terminfo ?? "a home")")
    case .indexed256:
      Finding("colours", .ok, "256: COLORTERM=truecolor where the terminal can more")
    case .ansi16: Finding("colours", .note, "16: TERM=xterm-256color where the terminal can more")
    case .none where environment["NO_COLOR"]?.isEmpty == false:
      Finding("colours", .note, "none, as NO_COLOR asks")
    case .none: Finding("colours", .note, "none: TERM=xterm-256color where the terminal can more")
    }
  }

  /// Whether the terminal that tmux is attached to gets colours as they are. True where tmux does
  /// not say.
  private static func tmuxPassesAllColors() -> Bool {
    let client = Process()
    client.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    client.arguments = ["tmux", "display-message", "-p", "#{client_termfeatures}"]
    let output = Pipe()
    client.standardOutput = output
    client.standardError = FileHandle.nullDevice
    guard (try? client.run()) != nil else { return true }
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    client.waitUntilExit()
    let features = said.split { ",\n".contains($0) }
    return features.isEmpty || features.contains("RGB")
  }

  private static func symbols(_ capabilities: Capabilities) -> Finding {
    switch capabilities.symbols.graph {
    case .braille:
      Finding("UTF-8", .ok, "yes; braille lines: ⠉⠒⠤⣀ (blank or boxes here: take another font)")
    case .block: Finding("UTF-8", .note, "the Linux console has no braille: blocks are drawn")
    case .ascii: Finding("UTF-8", .note, "no, so ASCII is drawn: set LANG=C.UTF-8")
    }
  }
}

extension Doctor {
  private static func machine() -> [Finding] {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let words = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let flags = Set(words.split { $0 == " " || $0 == "\n" || $0 == "\t" })
    let hasVectors = flags.contains("avx2") && flags.contains("fma")
    let blas = LinearAlgebra.coreName
    return [
      Finding("cores", .ok, "\(cores); --workers N takes fewer"),
      Finding(
        "AVX2, FMA", hasVectors ? .ok : .note,
        hasVectors ? "yes" : "no: training is slower, its numbers differ from those of such a core"),
      Finding(
        "BLAS", .ok, "\(LinearAlgebra.version) for \(blas); other cores give other bits"),
    ]
  }

  /// Whether a run could be recorded here: by making a file, since permissions do not tell all.
  private static func sessions() -> Finding {
    let folder = FileManager.default.fileExists(atPath: "sessions") ? "sessions" : "."
    let probe = "\(folder)/.seismo-doctor-\(getpid())"
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = FileSystem.systemWords(errno)
      return Finding(
        "sessions", .broken, "sessions/ cannot be written (\(reason)): choose with --session")
    }
    close(descriptor)
    unlink(probe)
    return Finding("sessions", .ok, "sessions/ of the working directory can be written")
  }

  private static func room() -> Finding {
    var status = statvfs()
    guard statvfs(".", &status) == 0 else {
      return Finding("disk", .note, "its room is not known")
    }
    let gigabytes = Double(status.f_bavail) * Double(status.f_frsize) / 1e9
    let words = String(format: "%.1f GB free", gigabytes)
    return gigabytes >= 1
      ? Finding("disk", .ok, words)
      : Finding("disk", .note, "\(words): checkpoints of larger models may not fit")
  }

  private static func control() -> Finding {
    do {
      let server = try ControlServer(name: "doctor")
      defer { server.close() }
      let folder = URL(fileURLWithPath: server.path).deletingLastPathComponent().path
      return Finding("control", .ok, "sockets in \(folder)")
    } catch {
      return Finding("control", .note, "\(error); runs take no commands from elsewhere")
    }
  }

  private static func files() -> [Finding] {
    let configuration = UserConfiguration.found()
    let exists = FileManager.default.fileExists(atPath: UserConfiguration.path)
    var findings = configuration.warnings.map { Finding("settings", .note, $0) }
    if findings.isEmpty {
      let path = UserConfiguration.path
      findings = [Finding("settings", .ok, exists ? path : "none (\(path) would be read)")]
    }
    let (themes, flaws) = ThemeFile.all()
    let names = themes.map(\.name).joined(separator: ", ")
    findings.append(Finding("themes", .ok, names))
    return findings + flaws.map { Finding("themes", .note, $0.description) }
  }
}
