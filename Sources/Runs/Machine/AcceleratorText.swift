import Formats
import Foundation
import Telemetry

/// What the tools of accelerators print, taken from their text.
enum AcceleratorText {
  typealias Reading = (name: MetricName, value: Double)

  /// What `nvidia-smi` is asked for, a line an accelerator.
  static let nvidiaArguments = [
    "--query-gpu=index,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw",
    "--format=csv,noheader,nounits",
  ]

  /// One of its lines; what it does not know, `[N/A]`, is left out.
  static func nvidia(line: some StringProtocol) -> [Reading] {
    let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    guard cells.count == 6, let number = Int(cells[0]), number >= 0 else { return [] }
    let numbers = cells.map { Double($0) }
    let mebibyte = 1_048_576.0
    return readings(
      number, util: numbers[1], used: numbers[2].map { $0 * mebibyte },
      total: numbers[3].map { $0 * mebibyte }, temp: numbers[4], power: numbers[5])
  }

  /// What `rocm-smi` is asked for.
  static let rocmArguments = [
    "--showuse", "--showmeminfo", "vram", "--showtemp", "--showpower", "--json",
  ]

  /// All that it prints: an object a card, whose words differ from version to version.
  static func rocm(_ text: String) -> [Reading] {
    guard let start = text.firstIndex(of: "{"),
      let cards = try? JSONValue(Array(text[start...].utf8)).members
    else { return [] }
    return cards.flatMap { card -> [Reading] in
      guard card.key.hasPrefix("card"), let number = Int(card.key.dropFirst(4)) else { return [] }
      var found: [String: Double] = [:]
      for member in card.value.members ?? [] {
        let value = member.value.number ?? member.value.text.flatMap { Double($0) }
        guard let value, let kind = rocmKind(member.key.lowercased()) else { continue }
        // The hottest of several places.
        found[kind] = max(value, found[kind] ?? value)
      }
      return readings(
        number, util: found["util"], used: found["used"], total: found["total"],
        temp: found["temp"], power: found["power"])
    }
  }

  private static func rocmKind(_ key: String) -> String? {
    if key.hasPrefix("gpu use") { return "util" }
    if key.contains("vram total used") { return "used" }
    if key.contains("vram total memory") { return "total" }
    if key.hasPrefix("temperature"), key.contains("(c)") { return "temp" }
    return key.contains("package power") && key.contains("(w)") ? "power" : nil
  }

  private static func readings(
    _ number: Int, util: Double?, used: Double?, total: Double?, temp: Double?, power: Double?
  ) -> [Reading] {
    let share = used.flatMap { used in total.flatMap { $0 > 0 ? 100 * used / $0 : nil } }
    let found: [(MetricCatalog.AcceleratorMetric, Double?)] = [
      (.util, util), (.memory, share), (.memoryBytes, used), (.temp, temp), (.power, power),
    ]
    return found.compactMap { metric, value in
      value.map { (MetricCatalog.accelerator(number, metric), $0) }
    }
  }
}
