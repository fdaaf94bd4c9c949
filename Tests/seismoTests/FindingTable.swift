import Formats
import Foundation
import Testing

/// A table of `studies/findings`.
struct FindingTable {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "studies/findings")

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }()

  let whole: JSONValue
  let cells: [JSONValue]
  let sensitivity: [JSONValue]

  init(_ name: String) throws {
    let data = try Data(contentsOf: Self.folder.appending(path: "\(name).json"))
    whole = try JSONValue(Array(data))
    guard case .list(let cells)? = whole["cells"],
      case .list(let sensitivity)? = whole["sensitivity"]
    else { throw CocoaError(.fileReadCorruptFile) }
    (self.cells, self.sensitivity) = (cells, sensitivity)
  }

  /// The mean held-out loss of the seeds of cells with these options; nil for an option that they
  /// do not have. What was lost counts as the loss at its start.
  func loss(_ wanted: [String: String?]) throws -> Double {
    try mean(wanted) { cell in
      let initial = cell["initial_loss"]?.number ?? .nan
      guard let loss = cell["eval_loss"]?.number, loss < initial else { return initial }
      return loss
    }
  }

  /// The mean of what the finding measures besides.
  func measure(_ title: String, _ wanted: [String: String?]) throws -> Double {
    try mean(wanted) { $0["measures"]?[title]?.number }
  }

  func mean(
    _ wanted: [String: String?], of value: (JSONValue) -> Double?
  ) throws -> Double {
    let fitting = cells.filter { cell in
      wanted.allSatisfy { cell["options"]?[$0.key]?.text == $0.value }
    }
    let values = fitting.compactMap(value)
    try #require(values.count >= 3 && values.count == fitting.count, "\(wanted)")
    return values.reduce(0, +) / Double(values.count)
  }

  /// The sensitivity of the group with these options.
  func sensitivity(_ wanted: [String: String]) throws -> Double {
    let fitting = sensitivity.filter { group in
      wanted.allSatisfy { group["options"]?[$0.key]?.text == $0.value }
    }
    try #require(fitting.count == 1, "\(wanted)")
    return try #require(fitting[0]["value"]?.number)
  }
}
