import Foundation
import Kernels
import Ranks
import Telemetry

extension TrainingRun {
  /// Sees to it that all ranks are about to make the same run.
  /// - Throws: `RankError`, on all of them.
  package func checkRanks() throws {
    guard ranks.count > 1 else { return }
    let options = configuration.options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let commands = script.map { "\($0.step) \($0.command.words)" }
    try ranks.agree(on: [
      RankFact("seismo", Self.program, remedy: "install the same build on all hosts"),
      RankFact(
        "processor for BLAS", LinearAlgebra.coreName + " " + LinearAlgebra.version,
        remedy: "run on hosts of one kind, or set OPENBLAS_CORETYPE to what all of them have"),
      RankFact(
        "teacher", teacher?.fingerprint ?? "none",
        remedy: "give all hosts the same checkpoint with --distil"),
      RankFact(
        "run", Self.digest(options + commands + ["sharded=\(configuration.shardsOptimizer)"]),
        remedy: "give all ranks the same options and run.toml"),
      RankFact("data", dataFingerprint, remedy: "give all hosts the same file"),
      RankFact("step", "\(step)", remedy: "resume all ranks from the same checkpoint"),
      RankFact(
        "weights", RankMetrics.digest(of: parameters),
        remedy: "resume all ranks from the same checkpoint"),
    ])
  }

  private static func digest(_ lines: [String]) -> String {
    String(FNV1a(lines.joined(separator: "\n").utf8).value, radix: 16)
  }

  /// The version and what the program's file holds.
  private static var program: String {
    let file = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    return seismoVersion + " " + String(FNV1a(file ?? Data()).value, radix: 16)
  }
}
