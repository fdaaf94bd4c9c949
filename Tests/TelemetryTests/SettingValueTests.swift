import Foundation
import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15)))
struct SettingValueTests {
  @Test(arguments: [
    SettingValue.flag(true), .flag(false), .number(0), .number(1), .number(-2.5), .number(1e-4),
    .number(999_999), .number(1e6), .number(123_456_789.25), .number(0.1), .number(1e300),
  ])
  func `its words and its coded form read back as it`(value: SettingValue) throws {
    #expect(SettingValue(words: value.description) == value)
    let coded = try JSONEncoder().encode([value])
    #expect(try JSONDecoder().decode([SettingValue].self, from: coded) == [value])
  }

  @Test(arguments: [
    ("ON", SettingValue.flag(true)), ("False", .flag(false)), ("1e-2", .number(0.01)),
    ("-0.5", .number(-0.5)),
  ])
  func `words are read as a person types them`(words: String, value: SettingValue) {
    #expect(SettingValue(words: words) == value)
  }

  @Test(arguments: ["", "yes", "1,5", "0.5x", " 1"])
  func `other words are no value`(words: String) {
    #expect(SettingValue(words: words) == nil)
  }

  @Test func `a whole number has no decimals`() {
    #expect(SettingValue.number(50).description == "50")
    #expect(SettingValue.number(1_000_000).description == "1000000")
    #expect(SettingValue.number(0.0001).description == "0.0001")
  }
}
