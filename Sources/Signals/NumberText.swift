import Foundation

/// Numbers as a person reads them; events, panes and printed lines share these words.
///
/// The minus sign of a number is U+2212, that of an exponent a hyphen. Non-finite numbers read as
/// `NaN`, `∞` and `−∞`, never as blanks.
package enum NumberText {
  package static let minus = "\u{2212}"

  /// A number in a few cells: `1.23`, `0.0123`, `1.23e-4`, `123`, `12.3k`, `4.56M`.
  ///
  /// Always the same count of digits, so that a column of numbers does not flicker. Whole numbers
  /// below 1,000 keep all their digits; from four digits on, thousands are written `1,234`.
  package static func compact(_ value: Double, digits: Int = 3) -> String {
    if let words = special(value) { return words }
    guard value != 0 else { return "0" }
    let sign = value < 0 ? minus : ""
    let size = abs(value)
    let rounded = Rounded(printed(size, "%.*e", digits - 1))
    switch rounded.exponent {
    case ..<(-3): return sign + rounded.scientific
    case ..<digits where rounded.exponent < 3: return sign + rounded.fixed
    case ..<3: return sign + fixed(size, decimals: 0)
    case 3 where digits >= 4: return sign + grouped(size)
    case ..<15: return sign + scaled(size, exponent: rounded.exponent, digits: digits)
    default: return sign + rounded.scientific
    }
  }

  /// A whole number with its thousands apart: `9,278`.
  package static func grouped(_ value: Double) -> String {
    if let words = special(value) { return words }
    let sign = value.rounded() < 0 ? minus : ""
    return sign + grouped(digits: fixed(abs(value), decimals: 0))
  }

  /// A count with its thousands apart: `9,278`.
  package static func grouped(_ count: Int) -> String {
    (count < 0 ? minus : "") + grouped(digits: "\(count.magnitude)")
  }

  /// A difference, with its sign: `−0.19`, `+0.07`, `+0.0031`; `0` where there is none.
  package static func signed(_ value: Double, decimals: Int = 2) -> String {
    if value.isNaN || value == 0 { return value == 0 ? "0" : "NaN" }
    let sign = value < 0 ? minus : "+"
    let size = abs(value)
    guard size.isFinite else { return sign + "∞" }
    let text = fixed(size, decimals: decimals)
    let vanishes = !text.contains { $0 >= "1" && $0 <= "9" }
    return sign + (vanishes ? compact(size, digits: 2) : text)
  }

  /// A level as alarms name it: a thousand or more as a power of ten where it is one: `1e4`.
  package static func level(_ value: Double) -> String {
    guard value >= 1000, value.isFinite else { return compact(value, digits: 2) }
    let exponent = Int(log10(value).rounded())
    return pow(10, Double(exponent)) == value ? "1e\(exponent)" : compact(value, digits: 2)
  }

  /// A share in percent, with one decimal: `12.5%`.
  package static func percent(_ share: Double) -> String {
    if let words = special(share) { return words }
    let sign = share < 0 ? minus : ""
    return sign + fixed(abs(share) * 100, decimals: 1) + "%"
  }

  /// Hours, minutes, seconds: `0:00:31`; days in front where there are any: `2d 3:04:05`.
  package static func duration(seconds: Double) -> String {
    if let words = special(seconds) { return words }
    guard abs(seconds) < 1e12 else { return compact(seconds) + " s" }
    let whole = Int(abs(seconds))
    let (days, hours) = (whole / 86_400, whole / 3600 % 24)
    let clock = String(format: "%d:%02d:%02d", hours, whole / 60 % 60, whole % 60)
    return (seconds <= -1 ? minus : "") + (days > 0 ? "\(days)d " : "") + clock
  }

  /// How long something took, in one unit: `12 s`, `3 min`, `5 h`, `2 days`.
  package static func span(seconds: Double) -> String {
    if let words = special(seconds) { return words }
    let whole = Int(max(0, min(seconds, 1e12)))
    switch whole {
    case ..<90: return "\(whole) s"
    case ..<5400: return "\(whole / 60) min"
    case ..<172_800: return "\(whole / 3600) h"
    default: return "\(whole / 86_400) days"
    }
  }

  /// A size in powers of 1,000: `512 B`, `1.2 MB`.
  package static func bytes(_ count: Double) -> String {
    if let words = special(count) { return words + " B" }
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var size = abs(count)
    var unit = 0
    while unit + 1 < units.count, size >= (unit == 0 ? 999.5 : 999.95) {
      size /= 1000
      unit += 1
    }
    return (count < 0 ? minus : "") + fixed(size, decimals: unit == 0 ? 0 : 1) + " " + units[unit]
  }
}

extension NumberText {
  private static func special(_ value: Double) -> String? {
    guard !value.isFinite else { return nil }
    guard !value.isNaN else { return "NaN" }
    return value < 0 ? minus + "∞" : "∞"
  }

  /// C's own conversion: a frame of a dashboard writes some hundred numbers, and Foundation's takes
  /// several times as long.
  private static func printed(_ size: Double, _ format: String, _ decimals: Int) -> String {
    // No finite number has more than 309 digits before its point.
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 352 + max(0, decimals)) { buffer in
      let count = withVaList([Int32(decimals), size]) {
        vsnprintf(buffer.baseAddress, buffer.count, format, $0)
      }
      // A host of the library may have set a locale with another decimal point.
      let bytes = buffer.prefix(max(0, Int(count))).map {
        $0 == CChar(bitPattern: UInt8(ascii: ",")) ? UInt8(ascii: ".") : UInt8(bitPattern: $0)
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static func fixed(_ size: Double, decimals: Int) -> String {
    printed(size, "%.*f", decimals)
  }

  /// A size rounded to some digits: both ways of writing it are made of one conversion.
  private struct Rounded {
    /// The digits as they are written with a power of ten: `1.23`.
    let mantissa: Substring
    /// The power of ten of the first digit once the size is rounded: 2 for 999.4, 3 for 999.6.
    let exponent: Int

    init(_ printed: String) {
      let end = printed.utf8.firstIndex(of: UInt8(ascii: "e")) ?? printed.endIndex
      mantissa = printed[..<end]
      exponent = Int(printed[end...].dropFirst()) ?? 0
    }

    var scientific: String { "\(mantissa)e\(exponent)" }

    /// The same digits without the power; only where there are digits up to the ones.
    var fixed: String {
      let point = UInt8(ascii: ".")
      let digits = mantissa.utf8.filter { $0 != point }
      guard exponent >= 0 else {
        let zeros = repeatElement(UInt8(ascii: "0"), count: -exponent - 1)
        return "0." + String(decoding: zeros + digits, as: UTF8.self)
      }
      let (whole, rest) = (digits.prefix(exponent + 1), digits.dropFirst(exponent + 1))
      return String(decoding: rest.isEmpty ? whole : whole + [point] + rest, as: UTF8.self)
    }
  }

  private static func scaled(_ size: Double, exponent: Int, digits: Int) -> String {
    let power = exponent / 3
    let decimals = max(0, digits - 1 - exponent % 3)
    let unit = ["", "k", "M", "G", "T"][power]
    return fixed(size / pow(1000, Double(power)), decimals: decimals) + unit
  }

  private static func grouped(digits: String) -> String {
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}
