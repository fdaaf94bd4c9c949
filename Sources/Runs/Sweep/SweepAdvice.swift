import Dispatch
import Foundation
import Signals
import Sweeps
import Synchronization
package import Telemetry
package import Training

/// Adds to a run's alarms about attention logits what a sweep says of its rate, where one of the
/// folder's sweeps has cells of its size.
package final class SweepAdvice: Sendable {
  private let words = Mutex<String?>(nil)
  private let reading = DispatchGroup()

  /// An alarm that comes before the sweeps are read waits so long for them, once.
  private static let patience = 2.0

  /// Reads the sweeps that lie in `folder` elsewhere than on this thread.
  package init(_ configuration: TrainingConfiguration, in folder: String) {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    DispatchQueue.global(qos: .utility).async(group: reading) { [self] in
      let found = Self.words(configuration, in: folder)
      words.withLock { $0 = found }
    }
  }

  /// What the newest sweep with cells of this size says, with its name before it.
  static func words(_ configuration: TrainingConfiguration, in folder: String) -> String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let sweeps = names.map { SweepFolder(path: "\(folder)/\($0)") }.filter(\.holdsSweep)
    let byAge = sweeps.map { (sweep: $0, age: age($0)) }.sorted { $0.age < $1.age }
    for (sweep, _) in byAge {
      guard let grid = try? sweep.grid(), let plan = try? SweepPlan(folder: sweep, grid: grid),
        let advice = RateAdvice(configuration, in: plan.results())
      else { continue }
      return "\(ShownPath.text(sweep.path)): \(advice.words)"
    }
    return nil
  }

  private static func age(_ sweep: SweepFolder) -> Double {
    let attributes = try? FileManager.default.attributesOfItem(atPath: sweep.gridFile)
    let changed = attributes?[.modificationDate] as? Date
    return changed.map { -$0.timeIntervalSince1970 } ?? .infinity
  }

  /// The record with the sweep's words behind its own, where it is such an alarm.
  package func told(_ record: RunRecord) -> RunRecord {
    guard case .event(var event) = record, event.kind == .alarm,
      event.alarmRule == .attentionLogitsHigh || event.alarmRule == .attentionLogitsDiverging
    else { return record }
    _ = reading.wait(timeout: .now() + Self.patience)
    guard let words = words.withLock({ $0 }) else { return record }
    event.text += "; \(words)"
    return .event(event)
  }
}
