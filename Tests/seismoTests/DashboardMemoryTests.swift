import Dashboard
import Foundation
import Testing

@testable import seismo

@Suite(.timeLimit(.minutes(15))) struct DashboardMemoryTests {
  @Test func `theme and arrangement are read back as they were written`() {
    var memory = DashboardMemory()
    memory.theme = "light"
    memory.knowsHelp = true
    memory.arrangement = Arrangement(
      preset: .stability, promoted: [.console, .run], hidden: [.events])
    let (read, warning) = DashboardMemory.parse(memory.text, path: "dashboard.toml")
    #expect(read == memory)
    #expect(warning == nil)
  }

  @Test func `the head of each project's wall comes back, and one dashboard leaves the other's`() {
    var memory = DashboardMemory()
    memory.wallHeads = ["gpt \"small\"": ["loss", "layer*/grad_norm"], "rl": []]
    let read = DashboardMemory.parse(memory.text, path: "dashboard.toml")
    #expect(read.warning == nil && read.memory.wallHeads == memory.wallHeads)
    var other = memory
    other.wallHeads["rl"] = ["reward"]
    var written = memory
    written.wallHeads["third"] = ["acc"]
    written.take(other, changedFrom: memory)
    #expect(written.wallHeads["rl"] == ["reward"] && written.wallHeads["third"] == ["acc"])
  }

  @Test func `pinned metrics come back, with what was hidden of them`() {
    var memory = DashboardMemory()
    let pins = ["grad_rms/*", "loss,loss/eval", "odd \"name\""].map(PaneID.pinned)
    memory.arrangement = Arrangement(promoted: [pins[1]], hidden: [pins[0]], pins: pins)
    let (read, warning) = DashboardMemory.parse(memory.text, path: "dashboard.toml")
    #expect(read == memory && warning == nil)
    #expect(
      DashboardMemory.parse("layout = \"speed\"\npins = [\"\", 3]\n", path: "d.toml")
        .memory.arrangement?.pins == [])
  }

  @Test func `the palette's lines come back, whatever is in them, and only so many`() {
    var memory = DashboardMemory()
    memory.commands = ["set z_loss 1e-4", "note \"odd\" \\ näher 日本 # no comment", "step 3"]
    #expect(DashboardMemory.parse(memory.text, path: "d.toml").memory == memory)
    memory.commands = ["note a\u{7}\u{1B}b"]
    #expect(DashboardMemory.parse(memory.text, path: "d.toml").memory.commands == ["note ab"])
    memory.commands = (0..<500).map { "step \($0)" }
    let read = DashboardMemory.parse(memory.text, path: "d.toml").memory.commands
    #expect(read.count == 50 && read.last == "step 499")
    #expect(DashboardMemory.parse("commands = 3\n", path: "d.toml").memory == DashboardMemory())
  }

  @Test func `an unknown layout is a warning with its line, and the theme stays`() {
    let (read, warning) = DashboardMemory.parse(
      "theme = \"light\"\n\nlayout = \"cosy\"\n", path: "dashboard.toml")
    #expect(read.theme == "light" && read.arrangement == nil)
    #expect(
      warning == "dashboard.toml:3: no layout 'cosy': write one of overview, stability, speed, "
        + "wall, everything")
  }

  @Test func `a damaged file is a warning with its line`() {
    let (read, warning) = DashboardMemory.parse("theme = \"light\"\nlayout = [", path: "d.toml")
    #expect(read == DashboardMemory())
    #expect(warning?.hasPrefix("d.toml:2: ") == true)
  }

  @Test func `a pane that is not known is left out`() {
    let (read, warning) = DashboardMemory.parse(
      "layout = \"speed\"\nshown = [\"loss\", \"future\"]\n", path: "d.toml")
    #expect(warning == nil)
    #expect(read.arrangement?.promoted == [.loss])
  }

  @Test func `what two dashboards remember at once is all there`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "dashboard.toml").path
    await withTaskGroup { group in
      for dashboard in 0..<2 {
        group.addTask {
          for number in 0..<20 {
            DashboardMemory.change(at: path) { $0.add(command: "note \(dashboard) \(number)") }
          }
        }
      }
    }
    #expect(DashboardMemory.read(at: path).memory.commands.count == 40)
  }

  @Test func `a dashboard that is left writes what it changed, and keeps what another wrote`() {
    var written = DashboardMemory()
    written.commands = ["pause"]
    written.theme = "light"
    let before = DashboardMemory()
    var after = before
    after.knowsHelp = true
    after.arrangement = Arrangement(preset: .speed)
    written.take(after, changedFrom: before)
    #expect(written.commands == ["pause"])
    #expect(written.theme == "light")
    #expect(written.arrangement == after.arrangement && written.knowsHelp)
  }
}
