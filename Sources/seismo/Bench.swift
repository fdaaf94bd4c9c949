import ArgumentParser
import Foundation
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the training step of a preset on this machine.",
    discussion: "Medians over the steps after warm-up, on random bytes.")

  @Option(help: "tiny, small, base, moe-tiny or moe-small") var preset = Preset.small.rawValue
  @Option(help: "steps to take, warm-up included (default: a few seconds' worth)") var steps: Int?
  @Option(help: "cores to use") var workers: Int?
  @Option(help: "whether each step's metrics are named and kept: on or off") var stats = "on"
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if let steps, steps < 4 { throw ValidationError("--steps \(steps): give at least 4") }
    guard Preset(rawValue: preset) != nil else {
      let known = Preset.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--preset \(preset): give one of \(known)")
    }
    guard ["on", "off"].contains(stats) else {
      throw ValidationError("--stats \(stats): give on or off")
    }
    if let workers, !(1...256).contains(workers) {
      throw ValidationError("--workers \(workers): give a whole number from 1 to 256")
    }
  }

  mutating func run() throws {
    let preset = Preset(rawValue: preset) ?? .small
    let benchmark = Benchmark(
      preset: preset, steps: steps, workers: workers, keepsMetrics: stats == "on")
    let result = benchmark.run()
    try StandardOutput.print(json ? result.json : result.text)
  }
}
