import ArgumentParser
import Dashboard

/// A pane by its title on the command line: `attention-logits`.
struct PaneName: ExpressibleByArgument {
  let pane: PaneID

  init?(argument: String) {
    let named = PaneCatalog.panes.first { Self.name($0) == argument.lowercased() }
    guard let named else { return nil }
    pane = named.id
  }

  static var allValueStrings: [String] { PaneCatalog.panes.map(name) }

  private static func name(_ pane: Pane) -> String { pane.title.replacing(" ", with: "-") }
}
