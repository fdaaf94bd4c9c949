import Foundation
import Testing

/// The program in tmux, which reads what is sent to a terminal as a terminal does.
@Suite(.enabled(if: TerminalMultiplexer.isInstalled, "tmux reads the screen"))
struct EmulatedTerminalTests {
  @Test func `keys and sizes give the screens that replay prints`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let trained = try binary.run([
      "train", "--preset", "tiny", "--headless", "--steps", "12", "--session", "a.seismo",
    ])
    try #require(trained.status == 0)
    let screen = try TerminalMultiplexer(
      binary, ["replay", "a.seismo", "--at", "5", "--speed", "1"], columns: 120, rows: 40)
    defer { screen.end() }
    func printed(_ step: Int, _ size: String) throws -> [String] {
      try TerminalMultiplexer.lines(
        binary.run(["replay", "a.seismo", "--at", "\(step)", "--size", size, "--text"]).output)
    }
    #expect(try screen.shows(printed(5, "120x40")))
    try screen.type(".")
    #expect(try screen.shows(printed(6, "120x40")))
    try screen.type(",", ",")
    #expect(try screen.shows(printed(4, "120x40")))
    try screen.resize(columns: 80, rows: 24)
    #expect(try screen.shows(printed(4, "80x24")))
    try screen.resize(columns: 40, rows: 12)
    #expect(try screen.shows(printed(4, "40x12")))
    try screen.resize(columns: 200, rows: 60)
    try screen.type("G")
    #expect(try screen.shows(printed(12, "200x60")))
    try screen.type("q")
    #expect(try screen.shows(["left with 0"]))
  }
}

/// A server of tmux with one window, alone with its own settings.
private final class TerminalMultiplexer {
  private static let path = "/usr/bin/tmux"
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

  private let binary: SeismoBinary

  init(_ binary: SeismoBinary, _ arguments: [String], columns: Int, rows: Int) throws {
    self.binary = binary
    let settings = """
      set -g default-terminal screen-256color
      set -g status off
      set -g window-size manual
      """
    try settings.write(toFile: binary.path("tmux.conf"), atomically: true, encoding: .utf8)
    let words = [binary.process([]).executableURL?.path ?? ""] + arguments
    let program = words.map { "'\($0)'" }.joined(separator: " ")
    try tell(
      "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
      "\(program); code=$?; clear; echo left with $code; exec sleep 600")
  }

  /// Presses keys, by the names that tmux has for them.
  func type(_ keys: String...) throws {
    for key in keys { try tell("send-keys", key) }
  }

  func resize(columns: Int, rows: Int) throws {
    try tell("resize-window", "-x", "\(columns)", "-y", "\(rows)")
  }

  /// Waits until the screen is just this; false where it does not come.
  func shows(_ wanted: [String]) throws -> Bool {
    for _ in 0..<200 {
      if try Self.lines(tell("capture-pane", "-p")) == wanted { return true }
      usleep(100_000)
    }
    return false
  }

  func end() {
    _ = try? tell("kill-server")
  }

  /// Rows of a screen without the blanks at their ends, and without empty rows at the bottom.
  static func lines(_ text: String) -> [String] {
    var lines = text.components(separatedBy: "\n").map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  @discardableResult
  private func tell(_ words: String...) throws -> String {
    let process = binary.process(["-u", "-L", "seismo", "-f", binary.path("tmux.conf")] + words)
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.environment = binary.environment.merging([
      "TMUX_TMPDIR": binary.folder.path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
      "COLORTERM": "", "NO_COLOR": "",
    ]) { _, own in own }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
