import Screen
import Signals
import Telemetry

/// What the model wrote, the newest first.
enum SamplesPane {
  static let pane = Pane(
    id: .samples, title: "samples", minimumRows: 2, weight: 1,
    explanation: """
      What the model writes after a prompt of yours, always with the same draws, so that the weights \
      alone make the difference; newest first, with the nats a byte that it gives its own text. \
      Healthy is text that comes to look like the data; the same few words over and over say that it \
      has collapsed. train --sample-every 100 --sample-prompt TEXT writes them, on a twentieth of the \
      time at most. Search with /, scroll with the arrows.
      """,
    headline: headline, draw: draw)

  static func shown(_ context: PaneContext) -> [RunEvent] {
    let samples = context.events.filter { $0.kind == .sample }.reversed()
    guard let filter = context.filter, !filter.isEmpty else { return Array(samples) }
    let pattern = TextPattern(filter)
    return samples.filter { $0.matches(pattern) }
  }

  private static func headline(_ context: PaneContext) -> [Span] {
    let samples = shown(context)
    let milliseconds = samples.first?.values["ms"].map {
      [Span(" · \(NumberText.compact($0, digits: 2)) ms", .faint)]
    }
    return [Span(NumberText.grouped(samples.count), .faint)] + (milliseconds ?? [])
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let samples = shown(context)
    guard !samples.isEmpty, !rect.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "nothing written yet")
    }
    let lines = samples.dropFirst(min(context.scroll, samples.count - 1)).prefix(rect.rows)
      .flatMap { written(of: $0, columns: rect.columns) }
    for (offset, line) in lines.prefix(rect.rows).enumerated() {
      grid.write(
        TextWidth.truncated(line.text, to: rect.columns), at: rect.origin.offset(rows: offset),
        style: context.style(line.role))
    }
  }

  private static func written(of sample: RunEvent, columns: Int) -> [(text: String, role: Role)] {
    let bytes = sample.values["bytes"] ?? 0
    let loss = sample.values["logprob"].map {
      " · \(NumberText.compact(-$0 / max(bytes, 1), digits: 3)) nats a byte"
    }
    let head = "step \(NumberText.grouped(sample.step))\(loss ?? "")"
    return [(head, .faint)]
      + TextWidth.wrapped(sample.text, to: max(1, columns)).map { ($0, .text) }
  }
}

extension PaneID {
  package static let samples = PaneID("samples")
}
