import Foundation
import Testing

/// Another run in place of the one on screen, on a terminal without a window.
@Suite(.timeLimit(.minutes(15))) struct OpenRunTests {
  private func recordings(_ names: String...) throws -> SeismoBinary {
    let binary = try SeismoBinary()
    for name in names {
      let result = try binary.run([
        "train", "--preset", "tiny", "--headless", "--steps", "12", "--session", "\(name).seismo",
      ])
      try #require(result.status == 0)
    }
    return binary
  }

  private static let alternateScreen = "\u{1B}[?1049h"

  @Test func `a recording gives its place to another without leaving the screen`() throws {
    let binary = try recordings("first", "other")
    defer { binary.remove() }
    let screen = try TerminalScreen(binary, ["replay", "first.seismo", "--at", "5"])
    screen.type("O")
    #expect(screen.receives("other"))
    screen.type("/name:other\r\rw")
    #expect(screen.receives("screen written: other-step-"))
    #expect(screen.count(of: Self.alternateScreen) == 1)
    #expect(screen.end() == 0)
  }

  @Test func `a live run is ended or let go before another comes, and loses nothing`() throws {
    let binary = try recordings("other")
    defer { binary.remove() }
    let screen = try TerminalScreen(
      binary, ["train", "--preset", "tiny", "--steps", "100000", "--session", "live.seismo"])
    screen.type("O")
    #expect(screen.receives("other"))
    screen.type("/name:other\r\r")
    #expect(screen.receives("leave live for other?"))
    screen.type("1")
    #expect(screen.receives("look back"))
    #expect(screen.receives("‖ replay"))
    screen.type("w")
    #expect(screen.receives("screen written: other-step-"))
    #expect(screen.end() == 0)
    let listed = try binary.run(["sessions", "."]).output
    #expect(listed.contains("stopped"))
  }

  @Test func `a folder named in the palette is listed, and its run tagged from there`() throws {
    let binary = try recordings("first", "other")
    defer { binary.remove() }
    let folder = binary.path("elsewhere")
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: binary.path("other.seismo"), toPath: folder + "/other.seismo")
    let screen = try TerminalScreen(binary, ["replay", "first.seismo", "--at", "5"])
    screen.type(":open elsewhere\r")
    #expect(screen.receives("1 run in elsewhere"))
    screen.type("tpaper keep\r")
    #expect(screen.receives("other: paper, keep"))
    // Out of the list, then out of the program.
    screen.type("q")
    #expect(screen.end() == 0)
    let tags = try binary.run(["sessions", "tag", "elsewhere/other.seismo"]).output
    #expect(tags == "elsewhere/other.seismo has tags paper, keep\n")
  }
}
