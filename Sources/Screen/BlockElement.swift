/// Block elements as rectangles in eighths of a cell.
enum BlockElement {
  struct Part: Hashable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int
  }

  /// What of the cell the element covers, and how much of the colour it lets through; nil for
  /// other characters.
  static func parts(_ scalar: UInt32) -> (parts: [Part], opacity: Double)? {
    switch scalar {
    case 0x2580: ([Part(x: 0, y: 0, width: 8, height: 4)], 1)
    case 0x2581...0x2588:
      {
        let height = Int(scalar - 0x2580)
        return ([Part(x: 0, y: 8 - height, width: 8, height: height)], 1)
      }()
    case 0x2589...0x258F:
      ([Part(x: 0, y: 0, width: Int(0x2590 - scalar), height: 8)], 1)
    case 0x2590: ([Part(x: 4, y: 0, width: 4, height: 8)], 1)
    case 0x2591...0x2593:
      ([Part(x: 0, y: 0, width: 8, height: 8)], Double(scalar - 0x2590) / 4)
    case 0x2594: ([Part(x: 0, y: 0, width: 8, height: 1)], 1)
    case 0x2595: ([Part(x: 7, y: 0, width: 1, height: 8)], 1)
    case 0x2596...0x259F: (quadrants(scalar), 1)
    default: nil
    }
  }

  private static func quadrants(_ scalar: UInt32) -> [Part] {
    // Bits: 1 upper left, 2 upper right, 4 lower left, 8 lower right, from U+2596 on.
    let masks = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14]
    let mask = masks[Int(scalar - 0x2596)]
    return (0..<4).filter { mask & (1 << $0) != 0 }.map { quadrant in
      Part(x: quadrant % 2 * 4, y: quadrant / 2 * 4, width: 4, height: 4)
    }
  }
}
