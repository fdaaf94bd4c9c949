import Foundation
import Models
import Telemetry
import Testing

@testable import Training

/// A setting's one declaration is enough: options, checkpoints and the run itself follow from it.
@Suite(.timeLimit(.minutes(15)))
struct SettingDeclarationTests {
  private static let optional = SettingCatalog.entries.filter { $0.help != nil }

  /// The options that a run needs for the setting to be in force.
  private func options(for entry: SettingCatalog.Entry) -> [String: String] {
    var options = ["preset": "moe-tiny", entry.option: "\(value(of: entry))"]
    if entry.needs.contains(.twoPasses) { options["router"] = "thor" }
    return options
  }

  /// One that is not what a run starts with.
  private func value(of entry: SettingCatalog.Entry) -> SettingValue {
    guard entry.usual == entry.start else { return entry.usual }
    let half = entry.usual.number / 2
    return .number(entry.isWhole ? half.rounded() : half)
  }

  @Test(arguments: optional.map(\.name))
  func `what an option says is in force, in the checkpoint and in the run's description`(
    name: String
  ) throws {
    let entry = try #require(SettingCatalog.entry(name))
    let configuration = try TrainingConfiguration(options: options(for: entry))
    let settings = LiveSettings(configuration)
    #expect(settings[name] == value(of: entry))
    let coded = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(LiveSettings.self, from: coded) == settings)
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
  }

  @Test(arguments: optional.map(\.name))
  func `an older checkpoint takes what it has none of from the run's options`(name: String) throws {
    let entry = try #require(SettingCatalog.entry(name))
    let configuration = try TrainingConfiguration(options: options(for: entry))
    let settings = LiveSettings(configuration)
    let coded = try JSONEncoder().encode(settings)
    var object = try #require(try JSONSerialization.jsonObject(with: coded) as? [String: Any])
    guard object.removeValue(forKey: entry.checkpointKey ?? name) != nil else {
      // What has a state of its own is no more than a value nowhere.
      #expect([SettingCatalog.qkLayerNorm, SettingCatalog.adamBeta2].contains(name))
      return
    }
    let older = try JSONSerialization.data(withJSONObject: object)
    var read = try JSONDecoder().decode(LiveSettings.self, from: older)
    read.complete(from: configuration.options, configuration)
    #expect(read == settings)
  }

  @Test func `what a setting needs is said where the run has none of it`() {
    let dense = SettingConditions()
    let lacking = SettingCatalog.entries.filter { dense.lack(for: $0) != nil }.map(\.name)
    #expect(lacking.allSatisfy { $0.hasPrefix("moe.") } && lacking.count == 5)
    let sgd = SettingConditions(router: .topk, optimizer: .sgd)
    let momentless = SettingCatalog.entries.filter {
      sgd.lack(for: $0) == "sgd keeps no second moments"
    }
    #expect(
      Set(momentless.map(\.name)) == [
        SettingCatalog.updateClip, SettingCatalog.adamEpsilon, SettingCatalog.adamBeta2,
      ])
  }

  @Test func `no two settings are stored under one key`() {
    let keys = SettingCatalog.entries.map { $0.checkpointKey ?? $0.name }
    #expect(Set(keys).count == keys.count)
  }

  @Test func `every option is there once, and its presets' values read back`() throws {
    let names = RunOptionCatalog.all.map(\.name)
    #expect(Set(names).count == names.count)
    for preset in Preset.allCases {
      let configuration = TrainingConfiguration(preset: preset)
      #expect(try TrainingConfiguration(options: configuration.options) == configuration)
    }
  }
}
