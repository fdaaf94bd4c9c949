import Kernels

/// Numbers of given ranks among those that come by in two walks, exactly, whatever their number.
///
/// The bits of a float, turned where it is negative, are ordered as floats are. The first walk counts
/// their upper halves, which tells in which of 65,536 boxes each rank lies; the second one the lower
/// halves of what falls in those boxes.
struct OrderStatistics: Sendable {
  private struct Place: Sendable {
    /// The upper half.
    let box: Int
    /// Within the box.
    let rank: Int
    let lower: Buffer<Int>
  }

  private let ranks: [Int]
  private let upper: Buffer<Int>
  private var places: [Place] = []

  private static let boxes = 1 << 16

  /// - Parameters: `ranks` from 0, below the number of numbers
  init(ranks: [Int]) {
    self.ranks = ranks
    upper = Buffer(count: Self.boxes)
  }

  /// Takes the first `count` of `numbers` into the walk that is under way.
  func count(_ numbers: FloatBuffer, _ count: Int) {
    guard !places.isEmpty else {
      for index in 0..<count { upper[Int(Self.key(numbers[index]) >> 16)] += 1 }
      return
    }
    for place in places {
      for index in 0..<count {
        let key = Self.key(numbers[index])
        if Int(key >> 16) == place.box { place.lower[Int(key & 0xFFFF)] += 1 }
      }
    }
  }

  /// Ends the first walk.
  mutating func choose() {
    places = ranks.map { rank in
      let found = Self.place(of: rank, in: upper)
      return Place(box: found.box, rank: found.rest, lower: Buffer(count: Self.boxes))
    }
  }

  /// By rank, after the second walk.
  var values: [Float] {
    places.map { place in
      let low = Self.place(of: place.rank, in: place.lower).box
      return Self.number(key: UInt32(place.box << 16 | low))
    }
  }

  private static func place(of rank: Int, in counts: Buffer<Int>) -> (box: Int, rest: Int) {
    var rest = rank
    for box in 0..<boxes {
      guard rest >= counts[box] else { return (box, rest) }
      rest -= counts[box]
    }
    preconditionFailure("rank \(rank) of fewer numbers")
  }

  /// Both zeros have one.
  private static func key(_ number: Float) -> UInt32 {
    let bits = (number + 0).bitPattern
    return bits & sign == 0 ? bits | sign : ~bits
  }

  private static func number(key: UInt32) -> Float {
    Float(bitPattern: key & sign == 0 ? ~key : key & ~sign)
  }

  private static let sign: UInt32 = 0x8000_0000
}
