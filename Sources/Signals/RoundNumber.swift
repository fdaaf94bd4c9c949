import Foundation

/// Numbers that are easy to read: 1, 2 and 5 times powers of ten.
package enum RoundNumber {
  /// The largest power of ten that is not above `value`.
  package static func power(atMost value: Double) -> Double {
    pow(10, (log10(value) + 1e-9).rounded(.down))
  }

  /// The smallest power of ten that is not below `value`.
  package static func power(atLeast value: Double) -> Double {
    pow(10, (log10(value) - 1e-9).rounded(.up))
  }

  /// The distance of round values, at least `value`.
  package static func step(atLeast value: Double) -> Double { oneTwoFive(atLeast: value) }

  /// The smallest of 1, 2 and 5 times a power of ten that is not below `value`.
  package static func oneTwoFive(atLeast value: Double) -> Double {
    guard value > 0, value.isFinite else { return 1 }
    let power = power(atMost: value)
    return [1, 2, 5].map { $0 * power }.first { $0 >= value * (1 - 1e-9) } ?? 10 * power
  }

  /// The largest of 1, 2 and 5 times a power of ten that is not above `value`.
  package static func oneTwoFive(atMost value: Double) -> Double {
    guard value > 0, value.isFinite else { return 1 }
    let power = power(atMost: value)
    return [5, 2, 1].map { $0 * power }.first { $0 <= value * (1 + 1e-9) } ?? power
  }

  /// The multiples of `step` from `low` to `high`, as the factors of the first and of the last of them.
  package static func factors(
    of step: Double, from low: Double, to high: Double
  ) -> (first: Double, last: Double) {
    ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
  }

  /// The powers of ten from `low` to `high`, as the exponents of the first and of the last of them.
  package static func exponents(from low: Double, to high: Double) -> (first: Int, last: Int) {
    (Int((log10(low) - 1e-9).rounded(.up)), Int((log10(high) + 1e-9).rounded(.down)))
  }

  /// `1`, `100`, `1e4`, `0.01`, `1e-4`: round numbers of any size in four cells.
  package static func exponentText(_ value: Double) -> String {
    value >= 999.5 || value < 0.0095 ? shortest(value) : plain(value)
  }

  /// `4e-2`, `1.5e-3`, `2e6`.
  package static func shortest(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return NumberText.compact(value) }
    let exponent = Int((log10(abs(value)) + 1e-9).rounded(.down))
    return plain(value / pow(10, Double(exponent))) + "e\(exponent)"
  }

  /// `2.9e-2`, `0.29`, `29`, `7.2e16`: two digits of any number.
  package static func twoDigits(_ value: Double) -> String {
    guard abs(value) > 1e-300, abs(value) < 0.0995 || abs(value) >= 1e6 else {
      return NumberText.compact(value, digits: 2)
    }
    return exponential(value)
  }

  /// `1e-2`, `2.9e-2`: as two digits, without a zero that says nothing.
  package static func rate(_ value: Double) -> String {
    twoDigits(value).replacing(".0e", with: "e")
  }

  /// `0.15`, `14k`, and `7.2e16` from a million on.
  package static func large(_ value: Double, digits: Int = 2) -> String {
    abs(value) < 999_999.5 || !value.isFinite
      ? NumberText.compact(value, digits: digits) : exponential(value)
  }

  /// `9,278` up to a million, `7.2e16` above.
  package static func groupedOrPower(_ value: Double) -> String {
    abs(value) < 999_999.5 || !value.isFinite
      ? NumberText.grouped(value) : exponential(value)
  }

  /// The exponent is taken after rounding: 9.96e-3 is `1.0e-2`.
  private static func exponential(_ value: Double) -> String {
    guard value.isFinite else { return NumberText.compact(value) }
    let parts = String(format: "%.1e", abs(value)).split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return NumberText.compact(value) }
    return (value < 0 ? NumberText.minus : "") + "\(parts[0])e\(exponent)"
  }

  /// At most three decimals, none that says nothing.
  package static func plain(_ value: Double) -> String {
    var text = thousandths(abs(value)) ?? String(format: "%.3f", abs(value))
    if text.utf8.contains(UInt8(ascii: ".")) {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return (value < 0 && text != "0" ? NumberText.minus : "") + text
  }

  /// The same as `%.3f` in a fraction of the time, which an axis' labels would take from each
  /// frame; nil where a binary fraction is too near to the middle of two to be sure.
  private static func thousandths(_ size: Double) -> String? {
    guard size < 1e9 else { return nil }
    let scaled = size * 1000
    let whole = scaled.rounded()
    guard abs(abs(scaled - whole) - 0.5) > 1e-4 else { return nil }
    let (units, rest) = Int(whole).quotientAndRemainder(dividingBy: 1000)
    guard rest > 0 else { return "\(units)" }
    return "\(units)." + (rest < 10 ? "00" : rest < 100 ? "0" : "") + "\(rest)"
  }
}
