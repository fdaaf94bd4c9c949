import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ExpertNamesTests {
  private func words(_ loads: [[Double]], columns: Int = 100) -> String {
    let layers = loads.enumerated().map {
      LayerLoad(layer: $0.offset, balance: ExpertBalance(loads: $0.element))
    }
    return ExpertNames(loads: layers).line(columns: columns).spans.map(\.text).joined()
  }

  private static let even = [Double](repeating: 1, count: 8)
  private static let sick: [Double] = [0, 1, 30, 1, 1, 1, 1, 0.01]

  @Test func `every dead and every overloaded expert is named by layer and number`() {
    #expect(
      words([Self.even, Self.sick, Self.sick])
        == "dead L1 E0, L1 E7, L2 E0, L2 E7 · overloaded L1 E2, L2 E2 · MaxVio 5.9 in L1")
  }

  @Test func `a healthy mixture is said to be one`() {
    #expect(
      words([Self.even, Self.even])
        == "none dead or overloaded · MaxVio 0 in L0 (largest load over mean, less 1)")
  }

  @Test func `what has no room is counted`() {
    let layers = [[Double]](repeating: Self.sick, count: 9)
    #expect(
      words(layers, columns: 70)
        == "dead L0 E0, L0 E7 +16 · overloaded L0 E2, L1 E2 +7 · MaxVio 5.9 in L0")
    #expect(words(layers, columns: 30) == "18 dead · 9 overloaded")
    for columns in 0...120 {
      #expect(TextWidth.columns(of: words(layers, columns: columns)) <= columns)
    }
  }
}
