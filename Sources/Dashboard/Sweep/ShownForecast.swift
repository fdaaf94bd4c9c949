/// What a sweep's sizes say of larger ones, as its screen and its picture show it.
package struct ShownForecast: Sendable {
  /// What was measured at a size.
  package struct Point: Sendable {
    package let parameters: Double
    package let value: Double
    /// The lowest and highest of the seeds.
    package let range: ClosedRange<Double>

    package init(parameters: Double, value: Double, range: ClosedRange<Double>) {
      (self.parameters, self.value, self.range) = (parameters, value, range)
    }
  }

  /// A rate's values over the sizes, with the fit.
  package struct Curve: Sendable {
    package let rate: Double
    package let points: [Point]
    /// The fit from the smallest size on, as far as it is followed.
    package let fit: [(parameters: Double, value: Double)]
    /// Where it passes the limit; nil where it does not as far as it is followed.
    package let limitParameters: Double?

    package init(
      rate: Double, points: [Point], fit: [(parameters: Double, value: Double)],
      limitParameters: Double?
    ) {
      (self.rate, self.points, self.fit) = (rate, points, fit)
      self.limitParameters = limitParameters
    }
  }

  /// The rates of a mitigation.
  package struct Panel: Sendable {
    /// Empty where there is one.
    package let title: String
    package let curves: [Curve]

    package init(title: String, curves: [Curve]) {
      (self.title, self.curves) = (title, curves)
    }
  }

  /// `attention_logit_max`.
  package let metric: String
  /// The limit in force where all curves have one.
  package let limit: Double?
  package let panels: [Panel]
  /// What is written below the charts.
  package let lines: [String]

  package init(metric: String, limit: Double?, panels: [Panel], lines: [String]) {
    (self.metric, self.limit, self.panels, self.lines) = (metric, limit, panels, lines)
  }
}
