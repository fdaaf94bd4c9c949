import Foundation
import TOMLKit
import Testing

@testable import Runs
@testable import seismo

/// Files that a person writes, cut at every byte and with flipped bits: one line, or a file.
@Suite(.timeLimit(.minutes(15)))
struct TOMLDamageTests {
  private static let run = """
    preset = "tiny" # two layers
    lr = 3e-2
    qk-layernorm = false
    [[at]]
    step = 1_50
    commands = ["set z_loss 1e-4", 'note "x"']
    [[when]]
    metric = "loss"
    above = 1.5
    command = "checkpoint"
    at_most = 1

    """

  /// Hands out the text cut at every byte, and with each bit of every byte flipped.
  private func eachDamaged(_ text: String, bits: Int, _ body: (String, String) -> Void) {
    let whole = Array(text.utf8)
    for length in whole.indices {
      guard let cut = String(validating: whole.prefix(length), as: UTF8.self) else { continue }
      body(cut, "cut at \(length)")
    }
    for index in whole.indices {
      for bit in 0..<bits {
        var bytes = whole
        bytes[index] ^= 1 << UInt8((bit + index) % 8)
        guard let flipped = String(validating: bytes, as: UTF8.self) else { continue }
        body(flipped, "bit \((bit + index) % 8) of byte \(index)")
      }
    }
  }

  @Test func `a run file`() throws {
    _ = try RunFile(text: Self.run, path: "run.toml")
    eachDamaged(Self.run, bits: 8) { text, what in
      do {
        _ = try RunFile(text: text, path: "run.toml")
      } catch {
        #expect(!"\(error)".contains("\n"), "\(what)")
        #expect("\(error)".hasPrefix("run.toml"), "\(what): \(error)")
      }
    }
  }

  @Test func `a theme`() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../themes/dark.toml").path
    let text = try String(contentsOfFile: path, encoding: .utf8)
    _ = try ThemeFile.theme(name: "dark", text: text, path: "dark.toml")
    eachDamaged(text, bits: 1) { text, what in
      do {
        _ = try ThemeFile.theme(name: "dark", text: text, path: "dark.toml")
      } catch {
        #expect(!"\(error)".contains("\n"), "\(what)")
        #expect("\(error)".hasPrefix("dark.toml"), "\(what): \(error)")
      }
    }
  }

  @Test(arguments: [
    "[{at]]", "[[!at]]", "  [ ?]", "\u{feff}[é]", "x = 1\r\n[ [ ]", "[", "[]", "[[",
  ])
  func `a header without a name is refused by its line`(text: String) {
    let error = #expect(throws: RunFile.Flaw.self) { try RunFile(text: text, path: "a.toml") }
    #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("a.toml:"))
  }

  @Test func `names that TOML allows are read`() throws {
    let table = try TOMLText.table("[ a.b ]\nx = [\n[1],\n[\"s\"]]\n[\"é\"]\n[[-_1]]\n['q']\n")
    #expect(table.keys.sorted() == ["-_1", "a", "q", "é"])
  }

  @Test func `a person's settings`() {
    let text = "# mine\non_alarm = \"mail -s \\\"$SEISMO_ALARM\\\" me\"\n"
    #expect(UserConfiguration(text: text, path: "c.toml").warnings.isEmpty)
    eachDamaged(text, bits: 8) { text, what in
      let configuration = UserConfiguration(text: text, path: "c.toml")
      #expect(configuration.warnings.allSatisfy { !$0.contains("\n") }, "\(what)")
    }
  }
}
