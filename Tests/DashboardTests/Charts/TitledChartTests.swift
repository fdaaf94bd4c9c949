import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// The noise scale and the sharpness as lines of their own.
@Suite(.timeLimit(.minutes(15))) struct TitledChartTests {
  private func lines(
    _ pane: Pane, _ columns: Int, _ rows: Int, history: RunHistory = SampleRun.full,
    change: @escaping @Sendable (inout PaneContext) -> Void = { _ in }
  ) -> [String] {
    var screen = PaneScreen(history: history)
    screen.change = change
    return screen.grid(pane, columns: columns, rows: rows).lines
  }

  @Test func `they come where there is room, and sooner on a whole screen`() {
    for (pane, words, least, zoomed) in [
      (GradientsPane.pane, "noise scale 180 sequences · the batch has 16", 28, 22),
      (LearningRatePane.pane, "sharpness 927 of 1,267 that the rate bears (38/lr)", 28, 22),
    ] {
      func has(_ rows: Int, isZoomed: Bool) -> Bool {
        lines(pane, 116, rows) { $0.isZoomed = isZoomed }.contains { $0.contains(words) }
      }
      #expect(!has(12, isZoomed: false) && has(least, isZoomed: false), "\(pane.id)")
      #expect(!has(10, isZoomed: true) && has(zoomed, isZoomed: true), "\(pane.id)")
    }
  }

  @Test func `a run that measures neither has the other charts as they were`() {
    for pane in [GradientsPane.pane, LearningRatePane.pane] {
      let text = lines(pane, 116, 38, history: SampleRun.mixture).joined()
      #expect(!text.contains("noise scale") && !text.contains("sharpness"))
    }
  }

  @Test func `their titles say what is at the cursor`() {
    let gradients = lines(GradientsPane.pane, 116, 38) { $0.cursorStep = 405 }
    #expect(gradients.contains { $0.contains("noise scale 80 sequences") })
    let rate = lines(LearningRatePane.pane, 116, 38) { $0.cursorStep = 60 }
    #expect(!rate.contains { $0.contains("sharpness 927") })
    #expect(rate.contains { $0.contains("sharpness ") })
  }

  @Test func `a sharpness above what the rate bears is amber`() {
    func title(_ sharpness: Double) -> Span? {
      var history = RunHistory()
      let names = [
        MetricCatalog.learningRate, MetricCatalog.sharpness, MetricCatalog.sharpnessLimit,
      ]
      history.append(
        .samples(
          StepSamples(step: 0, wallTime: 0, names: names, values: [0.038, sharpness, 1000])))
      let context = PaneScreen(history: history).context(.learningRate)
      return SharpnessChart.chart(context)?.title.first
    }
    #expect(title(999)?.role == .learningRate)
    #expect(title(1001)?.role == .warning)
  }

  @Test func `a single sharpness is a spot that can be seen`() {
    let history = SampleRun(experts: 8, steps: 60, measuresAll: true).history
    #expect(history[MetricCatalog.sharpness]?.count == 1)
    let drawn = lines(LearningRatePane.pane, 116, 38, history: history)
    #expect(drawn.contains { $0.contains { "⠛⠶⣤⣀".contains($0) } })
  }

  @Test func `values of any size are drawn inside the pane`() {
    let wild: [Double] = [.nan, .infinity, -.infinity, 0, -1e300, 1e300, .leastNonzeroMagnitude, 1]
    let names = SampleRun.full.names
    var history = RunHistory()
    for record in SampleRun(experts: 8, steps: 1, measuresAll: true).records {
      history.append(record)
    }
    for step in 1..<60 {
      let values = names.indices.map { wild[($0 + step) % wild.count] }
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: names, values: values)))
    }
    for pane in [GradientsPane.pane, LearningRatePane.pane] {
      for rows in [11, 22, 28, 38] {
        for columns in [0, 13, 36, 48, 116] {
          for isLog in [true, false] {
            let drawn = lines(pane, columns, rows, history: history) {
              ($0.isLogY, $0.isZoomed, $0.cursorStep) = (isLog, true, 30)
            }
            #expect(drawn.count == rows)
          }
        }
      }
    }
  }
}
