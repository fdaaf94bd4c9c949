import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SelectiveScanTests {
  private struct Pass {
    let output: [Float]
    let gradients: [[Float]]
  }

  private static let (positions, channels, factors) = (13, 11, 2)

  /// Forward and backward over two windows, the states kept every `chunk` rows.
  private func pass(chunk: Int) -> Pass {
    let (arena, positions, channels, factors) = (
      Arena(), Self.positions, Self.channels, Self.factors
    )
    let rows = 2 * positions
    var random = SeededRandom(seed: 3)
    func drawn(_ rows: Int, _ columns: Int) -> Matrix {
      Numbers.random(Shape(rows, columns), &random).matrix(arena)
    }
    let (x, selection) = (drawn(rows, channels), drawn(rows, factors + 2))
    let scan = SelectiveScan(
      deltaWeight: drawn(factors, channels), deltaBias: drawn(1, channels),
      logRate: drawn(1, channels), skip: drawn(1, channels))
    let scratch = ScanScratch(channels: channels, chunk: chunk, arena: arena)
    let y = arena.matrix(rows: rows, columns: channels)
    let kept = arena.matrix(
      rows: scratch.kept(rows: rows, positions: positions), columns: channels)
    _ = scan.forward(
      x, selection: selection, positions: positions, scratch: scratch, kept: kept, into: y)
    let shapes = [
      (rows, channels), (rows, factors + 2), (factors, channels), (1, channels), (1, channels),
      (1, channels),
    ]
    let made = shapes.map { arena.matrix(rows: $0.0, columns: $0.1) }
    scan.backward(
      drawn(rows, channels), x: x, selection: selection, positions: positions, kept: kept,
      scratch: scratch, dx: made[0], dSelection: made[1],
      gradients: SelectiveScan(
        deltaWeight: made[2], deltaBias: made[3], logRate: made[4], skip: made[5]))
    return Pass(output: y.values, gradients: made.map(\.values))
  }

  @Test(arguments: [1, 2, 5, 13, 64])
  func `a scan in chunks has the bits of one that keeps every state`(chunk: Int) {
    let (chunked, whole) = (pass(chunk: chunk), pass(chunk: 1))
    #expect(chunked.output == whole.output)
    #expect(chunked.gradients == whole.gradients)
    #expect(whole.gradients.allSatisfy { $0.contains { $0 != 0 } })
  }

  @Test
  func `a text's steps, however they are cut, leave the states of the window`() {
    let (arena, positions, channels) = (Arena(), 9, 5)
    var random = SeededRandom(seed: 8)
    func drawn(_ rows: Int, _ columns: Int) -> Matrix {
      Numbers.random(Shape(rows, columns), &random).matrix(arena)
    }
    let (x, selection) = (drawn(positions, channels), drawn(positions, 3))
    let scan = SelectiveScan(
      deltaWeight: drawn(1, channels), deltaBias: drawn(1, channels), logRate: drawn(1, channels),
      skip: drawn(1, channels))
    let scratch = ScanScratch(channels: channels, arena: arena)
    let y = (0..<2).map { _ in arena.matrix(rows: positions, columns: channels) }
    _ = scan.forward(
      x, selection: selection, positions: positions, scratch: scratch,
      kept: arena.matrix(rows: 1, columns: channels), into: y[0])
    let states = drawn(3, channels)
    var start = 0
    for count in [4, 1, 4] {
      let texts = TextRows(room: count)
      for row in 0..<count {
        texts[row] = TextRow(slot: 2, position: start + row, token: 0, before: 0)
      }
      scan.forward(
        x.rows(from: start, count: count), selection: selection.rows(from: start, count: count),
        texts: texts, states: states, scratch: scratch,
        into: y[1].rows(from: start, count: count))
      start += count
    }
    #expect(y[0].values == y[1].values)
  }
}
