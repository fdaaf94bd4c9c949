import Dashboard
import Testing

@testable import seismo

@Suite struct DashboardMemoryTests {
  @Test func `theme and arrangement are read back as they were written`() {
    var memory = DashboardMemory()
    memory.theme = "light"
    memory.arrangement = Arrangement(
      preset: .stability, promoted: [.console, .run], hidden: [.events])
    let (read, warning) = DashboardMemory.parse(memory.text, path: "dashboard.toml")
    #expect(read == memory)
    #expect(warning == nil)
  }

  @Test func `an unknown layout is a warning with its line, and the theme stays`() {
    let (read, warning) = DashboardMemory.parse(
      "theme = \"light\"\n\nlayout = \"cosy\"\n", path: "dashboard.toml")
    #expect(read.theme == "light" && read.arrangement == nil)
    #expect(
      warning == "dashboard.toml:3: no layout 'cosy': write one of overview, stability, speed, "
        + "everything")
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
}
