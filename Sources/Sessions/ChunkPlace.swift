import Formats

/// Where a chunk belongs: the columns of its row that its checksum covers beside its bytes.
struct ChunkPlace: Equatable {
  let metric: Int
  let generation: Int
  /// Number of its first sample among the metric's, over all generations.
  let start: Int
  let count: Int
  let firstStep: Int
  let lastStep: Int

  func checksum(of bytes: [UInt8]) -> Int {
    var checksum = Checksum()
    for number in [metric, generation, start, count, firstStep, lastStep] { checksum.add(number) }
    checksum.add(bytes)
    return Int(checksum.value)
  }
}
