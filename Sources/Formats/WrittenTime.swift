/// Times as ISO 8601 writes them: `2026-01-02T03:04:05.5+01:00`, a blank for the T too.
struct WrittenTime {
  /// Since 1970; as of UTC where no zone is named.
  let seconds: Double
  let hasZone: Bool

  init?(_ text: some StringProtocol) {
    var scan = Scan(bytes: Array(text.utf8))
    guard let year = scan.digits(4), scan.take("-"), let month = scan.digits(2), scan.take("-"),
      let day = scan.digits(2), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    guard scan.take("T") || scan.take(" "), let hour = scan.digits(2), scan.take(":"),
      let minute = scan.digits(2)
    else { return nil }
    var second = 0.0
    if scan.take(":") {
      guard let whole = scan.digits(2) else { return nil }
      second = Double(whole)
      if scan.take(".") || scan.take(",") { second += scan.fraction() }
    }
    guard hour < 25, minute < 60, second < 61, let zone = scan.zone() else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    seconds = Double((days * 24 + hour) * 3600 + minute * 60) + second - Double(zone.seconds)
    hasZone = zone.isNamed
  }

  /// Days since 1970 of the Gregorian calendar.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let (era, month) = (year / 400, (month + 9) % 12)
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * month + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private struct Scan {
    let bytes: [UInt8]
    var position = 0

    mutating func take(_ character: Character) -> Bool {
      guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
      position += 1
      return true
    }

    mutating func digits(_ count: Int) -> Int? {
      guard position + count <= bytes.count else { return nil }
      var number = 0
      for byte in bytes[position..<position + count] {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
      }
      position += count
      return number
    }

    mutating func fraction() -> Double {
      var (number, place) = (0.0, 0.1)
      while let digit = digits(1) {
        number += Double(digit) * place
        place /= 10
      }
      return number
    }

    /// What the rest says of the zone; nil where it is something else.
    mutating func zone() -> (seconds: Int, isNamed: Bool)? {
      if position == bytes.count { return (0, false) }
      if take("Z") || take("z") { return position == bytes.count ? (0, true) : nil }
      let isBehind = take("-")
      guard isBehind || take("+"), let hours = digits(2) else { return nil }
      _ = take(":")
      let minutes = digits(2) ?? 0
      guard position == bytes.count else { return nil }
      let seconds = (hours * 60 + minutes) * 60
      return (isBehind ? -seconds : seconds, true)
    }
  }
}
