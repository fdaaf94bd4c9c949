/// The smoothed values of a series that grows, one for each of its samples.
///
/// - Cost: ``update(with:)`` costs a constant a new sample; all of them again after a cut.
package struct SmoothedSeries: Sendable {
  package private(set) var values: [Double] = []
  private var average: TrailingAverage
  private let start: Int
  private var firstStep: Int?
  private var truncations = 0

  /// `start` samples of the run lie before the first of the series.
  package init(weight: Double, start: Int = 0) {
    self.start = start
    average = TrailingAverage(weight: weight, count: start)
  }

  package var weight: Double { average.weight }

  /// Smooths what `series` has gained since the last call, or all of it where it was cut, its last
  /// value was replaced, or it is another series.
  package mutating func update(with series: Series) {
    let isContinued =
      series.truncations == truncations && series.count >= values.count
      && (values.isEmpty || series.firstStep == firstStep)
    if !isContinued { restart() }
    firstStep = series.firstStep
    truncations = series.truncations
    for index in values.count..<series.count {
      values.append(average.add(series.value(atIndex: index)))
    }
  }

  private mutating func restart() {
    values.removeAll(keepingCapacity: true)
    average = TrailingAverage(weight: average.weight, count: start)
  }
}
