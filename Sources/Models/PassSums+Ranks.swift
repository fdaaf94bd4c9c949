internal import Kernels
internal import Ranks

extension PassSums {
  /// All that a pass measured, as other ranks are sent it.
  fileprivate var memory: [UnsafeMutableRawBufferPointer] {
    [
      layers.memory, output.memory, times.memory, headLogitMax.memory, expertCounts.memory,
      probabilities.memory, signals.memory, adapterShares.memory,
    ] + gates.flatMap(\.memory)
  }
}

extension RankGroup {
  /// Has every rank know what the others' passes measured; rank r has filled those from `bounds[r]`
  /// on.
  func share(_ passes: [PassSums], bounds: [Int]) {
    guard count > 1, let first = passes.first else { return }
    let bytes = first.memory.reduce(0) { $0 + $1.count }
    let own = bounds[rank]..<bounds[rank + 1]
    let letters = Buffer<UInt8>(count: bytes * passes.count)
    for index in own {
      var place = letters.base + index * bytes
      for part in passes[index].memory {
        UnsafeMutableRawPointer(place).copyMemory(part)
        place += part.count
      }
    }
    share(letters.memory, bounds: bounds.map { $0 * bytes })
    for index in passes.indices where !own.contains(index) {
      var place = letters.base + index * bytes
      for part in passes[index].memory {
        part.baseAddress?.copyMemory(from: place, byteCount: part.count)
        place += part.count
      }
    }
  }

  /// Has every rank know each token's loss under each set of parameters, of which rank r has
  /// computed those from `bounds[r]` on, counted through all of them.
  func share(_ losses: [Buffer<Double>], bounds: [Int]) {
    guard count > 1, let length = losses.first?.count else { return }
    let all = Buffer<Double>(count: length * losses.count)
    for (index, part) in losses.enumerated() {
      (all.base + index * length).update(from: part.base, count: length)
    }
    share(all.memory, bounds: bounds.map { $0 * MemoryLayout<Double>.stride })
    for (index, part) in losses.enumerated() {
      part.base.update(from: all.base + index * length, count: length)
    }
  }

  /// Each number's sum over the ranks.
  func addUp(_ counts: Buffer<Int>) {
    guard count > 1 else { return }
    let all = Buffer<Int>(count: count * counts.count)
    (all.base + rank * counts.count).update(from: counts.base, count: counts.count)
    share(all.memory, bounds: (0...count).map { $0 * counts.bytes })
    for index in 0..<counts.count {
      counts[index] = (0..<count).reduce(0) { $0 + all[$1 * counts.count + index] }
    }
  }

  /// Where each rank's part of `jobs` begins and the last one's ends, as even as can be.
  func bounds(of jobs: Int) -> [Int] { (0...count).map { $0 * jobs / count } }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(_ source: UnsafeMutableRawBufferPointer) {
    guard let base = source.baseAddress else { return }
    copyMemory(from: base, byteCount: source.count)
  }
}
