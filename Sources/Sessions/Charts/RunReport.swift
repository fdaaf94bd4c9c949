package import Signals
package import Telemetry

/// A run on one page: its charts, what happened, what it was set to.
package struct RunReport {
  let history: RunHistory
  let name: String
  let metrics: [MetricName]

  /// Draws `metrics`; without them what tells the story.
  package init(_ history: RunHistory, name: String, metrics: [MetricName]? = nil) {
    self.history = history
    self.name = name
    self.metrics = metrics ?? RunCharts.story(of: history)
  }

  /// The charts as one SVG file.
  package var svg: String {
    RunCharts(history).sheet(metrics, title: name, subtitle: summary).svg
  }

  /// One sentence: how far it came, in which time, with which loss.
  var summary: String {
    var words = [history.state.word]
    if let last = history.lastStep ?? history.series.values.compactMap(\.lastStep).max() {
      let total = history.description?.totalSteps.map { " of \(NumberText.grouped($0))" } ?? ""
      let steps = history.lastStep == nil ? last + 1 : history.stepsDone
      words.append("\(NumberText.grouped(steps))\(total) steps")
    }
    let times = history.wallTimes
    let first = times.isEmpty ? .nan : times.value(atIndex: 0)
    if let last = times.lastValue, last > first {
      words.append("in \(NumberText.duration(seconds: last - first))")
    }
    if let loss = history[MetricCatalog.loss]?.lastValue {
      words.append("loss \(NumberText.compact(loss, digits: 4))")
    }
    if let loss = history[MetricCatalog.evalLoss]?.lastValue {
      words.append("held-out \(NumberText.compact(loss, digits: 4))")
    }
    if let model = history.description?.model { words.append(model.words) }
    return words.joined(separator: " · ")
  }
}

extension RunDescription.Model {
  /// `4 layers of width 64`.
  var words: String {
    "\(layers) layers of width \(width)" + (experts > 0 ? ", \(experts) experts" : "")
  }
}
