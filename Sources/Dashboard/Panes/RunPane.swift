import Screen
import Signals
import Telemetry

/// What the run is, and the settings in force at the playhead.
enum RunPane {
  static let pane = Pane(
    id: .run, title: "run and settings", minimumRows: 3, weight: 1,
    explanation: """
      The model, the options it was started with, the settings in force at this step and the \
      machine. A setting that a person changed is pink. Change one with m, take the change back \
      with u.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let description = context.description else { return [] }
    return [Span(description.name, .text)]
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let lines = lines(context)
    guard !lines.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "the run has not said what it is")
    }
    let first = min(context.scroll, max(0, lines.count - 1))
    let widest = lines.map { TextWidth.columns(of: $0.name) }.max() ?? 0
    let columns = max(1, min(3, rect.columns / 44))
    let perColumn =
      columns == 1
      ? rect.rows : max(min(rect.rows, (lines.count + columns - 1) / columns), 1)
    let width = rect.columns / columns
    for (index, line) in lines.dropFirst(first).prefix(perColumn * columns).enumerated() {
      let place = Rect(
        column: rect.column + index / perColumn * width, row: rect.row + index % perColumn,
        columns: width - (columns > 1 ? 2 : 0), rows: 1
      ).intersection(rect)
      guard !place.isEmpty else { continue }
      grid.write(
        line.name, at: place.origin, style: context.style(.faint), maxColumns: place.columns)
      let value = place.droppingLeft(widest + 2)
      grid.write(
        TextWidth.truncated(line.value, to: value.columns), at: value.origin,
        style: context.style(line.role))
    }
  }

  private struct Line {
    var name: String
    var value: String
    var role = Role.text
  }

  private static func lines(_ context: PaneContext) -> [Line] {
    settings(context) + model(context) + options(context) + machine(context)
  }

  private static func settings(_ context: PaneContext) -> [Line] {
    context.history.settings.map { setting in
      let value = context.setting(setting.name) ?? setting.value
      let isChanged = context.events.contains { $0.kind == .set && $0.name == setting.name }
      let refusal = setting.refusal.map { " (\($0))" } ?? ""
      let role: Role = isChanged ? .person : (setting.refusal == nil ? .text : .faint)
      return Line(name: setting.name, value: "\(value)\(refusal)", role: role)
    }
  }

  private static func model(_ context: PaneContext) -> [Line] {
    guard let description = context.description else { return [] }
    var lines: [Line] = []
    if let model = description.model {
      let experts = model.experts > 0 ? ", \(model.experts) experts a layer" : ""
      lines.append(
        Line(
          name: "model",
          value: "\(model.preset ?? "own") d\(model.width) L\(model.layers) "
            + "H\(model.heads)\(experts)"))
      lines.append(
        Line(name: "parameters", value: NumberText.grouped(model.parameters)))
      let batch = context.setting(SettingCatalog.batch)?.number ?? 0
      let windows = batch >= 1 && batch < 1e9 ? Int(batch) : model.batch
      lines.append(
        Line(
          name: "a step",
          value: "\(windows) × \(model.context) = "
            + "\(NumberText.grouped(windows * model.context)) tokens"))
    }
    if let loss = description.initialLoss {
      lines.append(Line(name: "initial loss", value: "\(NumberText.compact(loss)) nats/token"))
    }
    if let entropy = description.entropyPerByte {
      lines.append(Line(name: "data's entropy", value: "\(NumberText.compact(entropy)) nats/byte"))
    }
    return lines
  }

  private static func options(_ context: PaneContext) -> [Line] {
    (context.description?.options ?? [:]).sorted { $0.key < $1.key }
      .map { Line(name: "--" + $0.key, value: $0.value) }
  }

  private static func machine(_ context: PaneContext) -> [Line] {
    (context.description?.environment ?? [:]).sorted { $0.key < $1.key }
      .map { Line(name: $0.key, value: $0.value, role: .faint) }
  }
}
