import Foundation
import Screen
import Testing

@testable import Terminal

/// All colours on terminals whose description knows 256 of them.
@Suite(.timeLimit(.minutes(15)))
struct DirectColorTests {
  private static let systemTypes = ["xterm-256color", "screen-256color", "tmux-256color"]

  @Test(arguments: systemTypes)
  func `a terminal that promises all colours is asked for them, by its own description`(
    type: String
  ) async throws {
    let pseudoTerminal = try PseudoTerminal(columns: 40, rows: 12)
    let path = pseudoTerminal.path
    // The environment is changed, which other tests must not see.
    await #expect(processExitsWith: .exitCode(0)) {
      [path = path as String, type = type as String] in
      let folder = NSTemporaryDirectory() + "seismo-terminfo-\(getpid())"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let capabilities = try Capabilities.detected(
        devicePath: path,
        environment: ["TERM": type, "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TMUX": "here"],
        ownDescriptions: folder)
      #expect(capabilities.colors == .rgb)
      #expect(capabilities.terminalType == "\(type)+seismo-direct")
      let terminal = CursesTerminal(
        capabilities: capabilities, devicePath: path, capturesOutput: false)
      try terminal.enter()
      var grid = CellGrid(columns: 40, rows: 12)
      grid.write(
        "calm", at: Point(column: 2, row: 1),
        style: Style(foreground: .rgb(18, 52, 86), background: .rgb(250, 3, 0)))
      grid.write("red", at: Point(column: 2, row: 2), style: Style(foreground: .ansi(1)))
      terminal.draw(grid)
      terminal.leave()
    }
    #expect(pseudoTerminal.receives("calm"))
    #expect(pseudoTerminal.output.contains("38;2;18;52;86m"))
    #expect(pseudoTerminal.output.contains("48;2;250;3;0m"))
    #expect(pseudoTerminal.output.contains("31m"))
    #expect(pseudoTerminal.receives("\u{1B}[?1049l"))
  }

  @Test func `a folder that cannot be written leaves the terminal's own colours`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let capabilities = try Capabilities.detected(
        devicePath: "/dev/null",
        environment: ["TERM": "screen-256color", "COLORTERM": "truecolor", "TMUX": "here"],
        ownDescriptions: "/dev/null/nowhere")
      #expect(capabilities.colors == .indexed256)
      #expect(capabilities.terminalType == "screen-256color")
    }
  }

  @Test func `a description is made once, and nothing else is left beside it`() throws {
    let folder = NSTemporaryDirectory() + "seismo-terminfo-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let description = DirectColorDescription(base: "xterm-256color", in: folder)
    #expect(description.isMade())
    let made = "\(description.folder)/x/\(description.name)"
    let before = try Data(contentsOf: URL(fileURLWithPath: made))
    #expect(!before.isEmpty)
    #expect(description.isMade())
    #expect(try Data(contentsOf: URL(fileURLWithPath: made)) == before)
    let left = try FileManager.default.contentsOfDirectory(
      atPath: URL(fileURLWithPath: description.folder).deletingLastPathComponent().path)
    #expect(left == ["xterm-256color"])
  }
}
