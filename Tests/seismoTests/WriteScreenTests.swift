import Foundation
import Testing

/// `w` and `:write` on a terminal without a window.
@Suite(.timeLimit(.minutes(15)))
struct WriteScreenTests {
  private func recording() throws -> SeismoBinary {
    let binary = try SeismoBinary()
    let result = try binary.run([
      "train", "--preset", "tiny", "--headless", "--steps", "12", "--session", "a.seismo",
    ])
    try #require(result.status == 0)
    return binary
  }

  private func text(_ binary: SeismoBinary, _ name: String) throws -> String {
    try String(contentsOfFile: binary.path(name), encoding: .utf8)
  }

  @Test func `what is written is what replay draws at that step and size`() throws {
    let binary = try recording()
    defer { binary.remove() }
    let screen = try TerminalScreen(binary, ["replay", "a.seismo", "--at", "5", "--speed", "1"])
    screen.type("w")
    #expect(screen.receives("screen written: a-step-5.svg"))
    screen.type(":write My Screen.svg 160x50\r")
    screen.type("\r:write loss.svg 60x20\r")
    #expect(screen.end() == 0)
    func drawn(_ size: String) throws -> String {
      _ = try binary.run(
        ["replay", "a.seismo", "--at", "5", "--size", size, "--svg", "\(size).svg"])
      return try text(binary, "\(size).svg")
    }
    #expect(try text(binary, "a-step-5.svg") == drawn("120x40"))
    #expect(try text(binary, "My Screen.svg") == drawn("160x50"))
    let alone = try text(binary, "loss.svg")
    #expect(alone.contains("loss") && !alone.contains("attention"))
  }

  @Test func `a place that cannot be written is one line, and the screen goes on`() throws {
    let binary = try recording()
    defer { binary.remove() }
    let screen = try TerminalScreen(binary, ["replay", "a.seismo", "--at", "5"])
    screen.type(":write no/such.svg\r")
    #expect(screen.receives("there is no folder"))
    screen.type(":write a.seismo/x.svg\r")
    #expect(screen.receives("is a file"))
    screen.type("w")
    #expect(screen.receives("screen written: a-step-5.svg"))
    #expect(screen.end() == 0)
  }
}
