/// Box-drawing characters as the lines they are made of.
struct BoxLines: Hashable {
  enum Weight: Hashable {
    case light, heavy
  }

  var left: Weight?
  var right: Weight?
  var up: Weight?
  var down: Weight?
  /// Straight lines broken into so many dashes a cell; 1 is whole.
  var dashes = 1
  /// A corner that bends.
  var isRound = false

  /// Nil for characters that are not drawn as lines (double and mixed ones: they stay glyphs).
  init?(_ scalar: UInt32) {
    if let (horizontal, weight, dashes) = BoxLines.straight(scalar) {
      self.dashes = dashes
      if horizontal { (left, right) = (weight, weight) } else { (up, down) = (weight, weight) }
      return
    }
    guard let sides = BoxLines.joints[scalar] else { return nil }
    for side in sides {
      switch side {
      case "l": left = .light
      case "L": left = .heavy
      case "r": right = .light
      case "R": right = .heavy
      case "u": up = .light
      case "U": up = .heavy
      case "d": down = .light
      case "D": down = .heavy
      default: isRound = true
      }
    }
  }

  private static func straight(_ scalar: UInt32) -> (Bool, Weight, Int)? {
    switch scalar {
    case 0x2500...0x2503:
      (scalar < 0x2502, scalar % 2 == 0 ? .light : .heavy, 1)
    case 0x2504...0x2507:
      (scalar < 0x2506, scalar % 2 == 0 ? .light : .heavy, 3)
    case 0x2508...0x250B:
      (scalar < 0x250A, scalar % 2 == 0 ? .light : .heavy, 4)
    case 0x254C...0x254F:
      (scalar < 0x254E, scalar % 2 == 0 ? .light : .heavy, 2)
    default: nil
    }
  }

  /// Small letters are light sides, capitals heavy ones, `~` bends.
  private static let joints: [UInt32: String] = {
    let table: [(Unicode.Scalar, String)] = [
      ("┌", "rd"), ("┏", "RD"), ("┐", "ld"), ("┓", "LD"), ("└", "ur"), ("┗", "UR"),
      ("┘", "ul"), ("┛", "UL"), ("├", "udr"), ("┣", "UDR"), ("┤", "udl"), ("┫", "UDL"),
      ("┬", "lrd"), ("┳", "LRD"), ("┴", "lru"), ("┻", "LRU"), ("┼", "lrud"), ("╋", "LRUD"),
      ("┝", "udR"), ("┥", "udL"), ("┯", "LRd"), ("┷", "LRu"), ("┿", "LRud"), ("╂", "lrUD"),
      ("╭", "rd~"), ("╮", "ld~"), ("╯", "ul~"), ("╰", "ur~"),
      ("╴", "l"), ("╵", "u"), ("╶", "r"), ("╷", "d"), ("╸", "L"), ("╹", "U"), ("╺", "R"),
      ("╻", "D"), ("╼", "lR"), ("╽", "uD"), ("╾", "Lr"), ("╿", "Ud"),
    ]
    return Dictionary(uniqueKeysWithValues: table.map { ($0.0.value, $0.1) })
  }()
}
