import Kernels

extension Corpus {
  /// Sixteen hexadecimal digits that change when the length does or one of 64 evenly spread blocks:
  /// enough to notice that a run is resumed or reproduced on other data, at the cost of reading 256
  /// KiB.
  /// - Throws: What `copy` throws.
  package func fingerprint() throws(DataError) -> String {
    let block = min(4096, count)
    let blocks = min(64, (count + block - 1) / max(block, 1))
    let starts = (0..<blocks).map { $0 * (count - block) / max(blocks - 1, 1) }
    let tokens = try windows(startingAt: starts, count: block)
    var hash = FNV1a(
      isBytes ? tokens.map { UInt8($0) } : tokens.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
    hash.add(UInt64(count))
    let digits = String(hash.value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
