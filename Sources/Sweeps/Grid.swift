import Foundation
import Training

/// What a sweep runs: products of lists, all of their cells or some at random.
package struct Grid: Sendable {
  /// Cells that are drawn, the same ones for the same seed.
  package struct Draw: Sendable, Equatable {
    package let count: Int
    package let seed: Int

    package init(count: Int, seed: Int) {
      (self.count, self.seed) = (count, seed)
    }
  }

  package let tables: [GridTable]
  package let draw: Draw?
  /// The options that are given differently from cell to cell, in the order of the table of options.
  package let varied: [String]
  /// Every cell once, in the tables' order.
  package let cells: [SweepCell]
  /// What each cell costs, in their order.
  package let costs: [CellCost]

  package static let mostCells = 100_000
  /// Beyond, a number cannot be told from the next one.
  private static let countable = 0x1p53

  /// - Throws: ``GridError/tooManyCells(count:most:)``;
  ///   ``GridError/contradictory(cell:words:reason:others:)`` where a cell's options make no run.
  package init(_ tables: [GridTable], draw: Draw? = nil) throws(GridError) {
    (self.tables, self.draw) = (tables, draw)
    let total = tables.reduce(0) { $0 + $1.count }
    let wanted = draw.map { Double($0.count) } ?? total
    guard min(wanted, total) <= Double(Self.mostCells), total < Self.countable else {
      throw .tooManyCells(count: draw == nil ? total : min(wanted, total), most: Self.mostCells)
    }
    let numbers = draw.map { Self.drawn($0, of: Int(total)) } ?? Array(0..<Int(total))
    var seen: Set<[String: String]> = []
    var given: [GivenCell] = []
    for number in numbers {
      let (table, place) = Self.place(of: number, in: tables)
      let cell = GivenCell(options: table.options(at: place), table: table)
      if seen.insert(cell.options).inserted { given.append(cell) }
    }
    varied = Self.varied(given.map(\.options))
    (cells, costs) = try FittedCells(given, varied: varied).cells()
  }

  private static func place(of number: Int, in tables: [GridTable]) -> (GridTable, Int) {
    var rest = number
    for table in tables.dropLast() {
      let count = Int(table.count)
      guard rest >= count else { return (table, rest) }
      rest -= count
    }
    return (tables[tables.count - 1], rest)
  }

  /// So many different numbers below `total`, ascending (Floyd's algorithm).
  private static func drawn(_ draw: Draw, of total: Int) -> [Int] {
    guard draw.count < total else { return Array(0..<total) }
    let generator = CounterGenerator(seed: UInt64(draw.seed), stream: "grid")
    var chosen: Set<Int> = []
    for (counter, bound) in ((total - draw.count)..<total).enumerated() {
      let number = generator.number(below: bound + 1, at: UInt64(counter))
      chosen.insert(chosen.contains(number) ? bound : number)
    }
    return chosen.sorted()
  }

  private static func varied(_ all: [[String: String]]) -> [String] {
    guard let first = all.first else { return [] }
    return RunOptionCatalog.all.map(\.name).filter { name in
      all.contains { $0[name] != first[name] }
    }
  }

  /// Whether both run the same cells under the same numbers.
  package func isSame(as other: Grid) -> Bool {
    cells.map(\.options) == other.cells.map(\.options)
  }
}
