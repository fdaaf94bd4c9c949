import Foundation
import Runs
import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SweepFileTests {
  private func file(_ text: String) throws -> SweepFile {
    try SweepFile(text: text, path: "sweep.toml")
  }

  @Test func `options have a value or a list, under their own names`() throws {
    let grid = try file(
      """
      preset = "tiny"
      lr = ["3e-4..3e-1*7"]
      layers = [1, 2]
      heads = "1,2"
      zip = "layers,heads"
      qk-layernorm = [false, true]
      """
    ).grid()
    #expect(grid.cells.count == 28)
    #expect(grid.cells[0].options["qk-layernorm"] == "off")
    #expect(grid.cells.allSatisfy { $0.options["layers"] == $0.options["heads"] })
  }

  @Test func `grid tables are a union with what stands beside them`() throws {
    let grid = try file(
      """
      preset = "tiny"
      lr = [1e-3, 1e-2]
      [[grid]]
      layers = 1
      [[grid]]
      layers = 2
      lr = 1e-1
      [[grid]]
      sizes = "small"
      """
    ).grid()
    #expect(grid.cells.map { $0.options["lr"] } == ["0.001", "0.01", "0.1", "0.001", "0.01"])
    #expect(grid.cells.map { $0.options["preset"] } == ["tiny", "tiny", "tiny", "small", "small"])
  }

  @Test func `a grid reads back from what is written of it`() throws {
    let grids = [
      try file("preset = \"tiny\"\nlr = [\"1e-3\", \"1e-2..1*3\"]\nseed = \"1,2\"").grid(),
      try file("preset = \"tiny\"\nlr = \"1e-4..1*90\"\nrandom = 7\nrandom-seed = 3").grid(),
      try file(
        "preset = \"tiny\"\n[[grid]]\nlayers = \"1,2\"\nheads = \"1,2\"\nzip = \"layers,heads\"\n"
          + "[[grid]]\ndata = \"a \\\"b\\\"\"\nlr = 1"
      ).grid(),
    ]
    for grid in grids {
      #expect(try file(grid.text).grid().isSame(as: grid), "\(grid.text)")
    }
  }

  @Test func `the command line wins, over the tables too`() throws {
    var file = try file("preset = \"tiny\"\nlr = 1\n[[grid]]\nlr = [1, 2]\nseed = [1, 2]\n")
    file.take(["lr": ["3"]])
    #expect(try file.grid().cells.map { $0.options["lr"] } == ["3.0", "3.0"])
  }

  @Test(arguments: [
    ("lrr = 1", "sweep.toml: unknown key 'lrr': did you mean 'lr'?"),
    ("learning-rate = 1", "did you mean 'lr'?"),
    ("lr = [[1]]", "sweep.toml: lr: give numbers"),
    ("lr = 1\ngrid = 3", "write [[grid]]"),
    ("random = 0\nlr = 1", "random: give a whole number"),
    ("lr = [", "sweep.toml:"),
  ])
  func `what is wrong with a file is told with its place`(text: String, words: String) {
    let error = #expect(throws: RunFile.Flaw.self) { try self.file(text) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func `a file without cells is an empty grid`() {
    #expect(throws: GridError.noValues(name: "the sweep")) { try self.file("jobs = 2").grid() }
    #expect(throws: GridError.noValues(name: "lr")) { try self.file("lr = []").grid() }
  }
}
