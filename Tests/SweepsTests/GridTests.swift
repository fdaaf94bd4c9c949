import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct GridTests {
  private func grid(
    _ given: [String: String], zips: [[String]] = [], draw: Grid.Draw? = nil
  ) throws -> Grid {
    try Grid([GridTable(given.mapValues { [$0] }, zips: zips)], draw: draw)
  }

  private func values(_ name: String, _ words: String) throws -> [String] {
    try grid([name: words, "preset": "tiny"]).cells.compactMap { $0.options[name] }
  }

  @Test func `lists and ranges give values in words that are equal where the values are`() throws {
    #expect(try values("lr", "1e-3, 0.003,1") == ["0.001", "0.003", "1.0"])
    #expect(try values("seed", "1..3,7") == ["1", "2", "3", "7"])
    #expect(try values("qk-layernorm", "off,true") == ["off", "on"])
    #expect(try values("width", "16..128*4") == ["16", "32", "64", "128"])
    #expect(try values("data", "a b.txt,c\\,d") == ["a b.txt", "c,d"])
    #expect(try values("optimizer", "adamw,muon") == ["adamw", "muon"])
  }

  @Test func `values spaced evenly in log have the ends that were given`() throws {
    let rates = try values("lr", "3e-4..3e-1*7").compactMap { Double($0) }
    #expect(rates.count == 7)
    #expect(rates.first == 3e-4 && rates.last == 3e-1)
    #expect([rates[2], rates[4]] == [3e-3, 3e-2])
    for (low, high) in zip(rates, rates.dropFirst()) {
      #expect(abs(high / low - 3.1622776601683795) < 1e-9)
    }
    #expect(try values("layers", "2..4*9") == ["2", "3", "4"])
  }

  @Test func `cells are the product in the order of the options, the last one first`() throws {
    let grid = try grid([
      "preset": "tiny", "lr": "1e-3,1e-2", "qk-layernorm": "off,on", "seed": "1,2",
    ])
    #expect(grid.cells.count == 8)
    #expect(grid.cells.map(\.number) == Array(1...8))
    #expect(
      grid.cells[1].options == [
        "preset": "tiny", "lr": "0.001", "qk-layernorm": "on", "seed": "1",
      ])
    #expect(grid.varied == ["lr", "seed", "qk-layernorm"])
    #expect(grid.cells[1].words == "lr 0.001, seed 1, qk-layernorm on")
    #expect(grid.cells[1].name == "0002-lr0.001-seed1-qk-layernorm-on")
    #expect(Set(grid.cells.map(\.name)).count == 8)
  }

  @Test func `lists in step are one axis`() throws {
    let grid = try grid(
      ["preset": "tiny", "layers": "1,2,4", "heads": "2,4,8", "seed": "1,2"],
      zips: [["layers", "heads"]])
    #expect(grid.cells.count == 6)
    #expect(grid.cells.allSatisfy { Int($0.options["heads"]!)! == 2 * Int($0.options["layers"]!)! })
    #expect(throws: GridError.zipUneven(names: ["layers", "heads"], counts: [2, 3])) {
      try self.grid(["layers": "1,2", "heads": "2,4,8"], zips: [["layers", "heads"]])
    }
    #expect(throws: GridError.zipUnknown(name: "heads")) {
      try self.grid(["layers": "1,2"], zips: [["layers", "heads"]])
    }
  }

  @Test func `sizes are presets`() throws {
    #expect(
      try grid(["sizes": "tiny,small"]).cells.map { $0.options["preset"] } == ["tiny", "small"])
    #expect(throws: GridError.self) { try self.grid(["sizes": "tiny", "preset": "small"]) }
  }

  @Test func `several tables are a union, each cell once and numbers as before`() throws {
    let one = try GridTable(["preset": ["tiny"], "lr": ["1e-3,1e-2"]])
    let two = try GridTable(["preset": ["tiny"], "lr": ["1e-2,1e-1"]])
    let grid = try Grid([one, two])
    #expect(grid.cells.map { $0.options["lr"] } == ["0.001", "0.01", "0.1"])
    #expect(grid.cells.prefix(2).map(\.name) == (try Grid([one])).cells.map(\.name))
  }

  @Test func `a draw is the same for the same seed, and of different cells`() throws {
    let given = ["preset": "tiny", "lr": "1e-4..1e-1*1000", "seed": "1..1000000"]
    let draws = try [1, 1, 2].map {
      try grid(given, draw: .init(count: 50, seed: $0)).cells.map(\.options)
    }
    #expect(draws[0].count == 50 && Set(draws[0]).count == 50)
    #expect(draws[0] == draws[1])
    #expect(draws[0] != draws[2])
    #expect(
      try grid(["preset": "tiny", "seed": "1..3"], draw: .init(count: 9, seed: 0)).cells.count == 3)
  }

  @Test func `a grid of a thousand million cells is refused with their count at once`() {
    let error = #expect(throws: GridError.self) {
      try self.grid(["lr": "1e-4..1e-1*1000", "seed": "1..1000000"])
    }
    #expect(error?.description.contains("1000000000 cells") == true)
    #expect(throws: GridError.self) {
      try self.grid(["seed": "0..1000000000000000", "warmup": "1..1000000000"])
    }
  }

  @Test(arguments: [
    (["lr": ""], "lr has no values: the grid is empty"),
    (["lr": "1e-3,,1e-2"], "'' gives no values for lr: give no empty value"),
    (["lr": "fast"], "'fast' gives no values for lr: give a number from 0 to 1000"),
    (["lr": "1e-3..1e-1"], "whole numbers, such as 1..5"),
    (["lr": "0..1e-1*3"], "two ends above 0"),
    (["lr": "1e-3..1e-1*1"], "such as 1e-3..1e-1*7"),
    (["seed": "5..1"], "the lower end first"),
    (["layers": "1..300"], "a whole number from 1 to 256"),
    (["learning-rate": "1"], "no option 'learning-rate' of a cell: did you mean 'lr'?"),
    (["workers": "2"], "a cell has one core: --jobs says how many"),
    (["data": "-"], "name a file"),
    (["distil": "runs/x.checkpoints"], "name one, step-…, in it"),
    (["distil": "runs/x.checkpoints/"], "name one, step-…, in it"),
    (
      ["preset": "tiny", "heads": "2,3,5"], "cell 2 (heads 3): 3 heads do not divide a width of 64"
    ),
  ])
  func `what is no grid is told in a line`(given: [String: String], words: String) {
    let error = #expect(throws: GridError.self) { try self.grid(given) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("\n") == false)
  }

  @Test func `what is given for all is left out of the cells that have no use for it`() throws {
    let adam = try grid(["preset": "tiny", "optimizer": "adamw,lion,sgd", "adam-beta2": "0.99"])
    #expect(adam.cells.map { $0.options["adam-beta2"] } == ["0.99", nil, nil])
    #expect(adam.cells.map(\.words) == ["optimizer adamw", "optimizer lion", "optimizer sgd"])
    #expect(adam.varied == ["optimizer"] && adam.costs.count == 3)
    let mixed = try grid([
      "preset": "tiny", "experts": "0,4", "router": "switch", "mixer": "attention,ssm",
      "rope-theta": "500",
    ])
    #expect(mixed.cells.map { $0.options["router"] } == [nil, "switch", nil, "switch"])
    #expect(mixed.cells.map { $0.options["rope-theta"] } == ["500.0", "500.0", nil, nil])
    #expect(
      try grid(["sizes": "tiny,moe-tiny", "ffn-width": "100"]).cells.map { $0.options["ffn-width"] }
        == ["100", nil])
  }

  @Test func `what is left out makes no cell twice`() throws {
    let one = try GridTable(["preset": ["tiny"], "optimizer": ["lion"]])
    let two = try GridTable([
      "preset": ["tiny"], "optimizer": ["adamw,lion"], "adam-beta2": ["0.99"],
    ])
    let grid = try Grid([one, two])
    #expect(grid.cells.map { $0.options["optimizer"] } == ["lion", "adamw"])
    #expect(grid.cells.map(\.number) == [1, 2])
  }

  @Test(arguments: [
    // Of use to none.
    (["optimizer": "lion,sgd", "adam-beta2": "0.99"], "cell 1 (optimizer lion): adam-beta2"),
    // Listed.
    (["optimizer": "adamw,lion", "adam-beta2": "0.9,0.99"], "cell 3 (optimizer lion, adam-beta2"),
    // Of use, and impossible.
    (["optimizer": "adamw,muon", "subspace": "10"], "cell 2 (optimizer muon): muon is for"),
  ])
  func `other options without a use are refused`(given: [String: String], words: String) {
    let error = #expect(throws: GridError.self) {
      try self.grid(given.merging(["preset": "tiny"]) { $1 })
    }
    #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
  }

  @Test func `contradictory cells are counted`() {
    let error = #expect(throws: GridError.self) {
      try self.grid(["preset": "tiny", "heads": "3,2,5", "seed": "1,2"])
    }
    #expect(error?.description.hasSuffix("choose a divisor; and 3 more like it") == true)
  }
}
