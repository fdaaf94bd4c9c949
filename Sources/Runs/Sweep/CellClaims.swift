import Formats
import Foundation
import Sessions
import Sweeps

/// Who runs which cell, where several processes share a folder.
///
/// A claim is a file that is made by a link, which only one process can make. Its time is renewed
/// while the claimant lives; where it has not been for ``stale`` seconds, the next number of the
/// same cell is up to be linked, and whoever has the highest number has the cell. Times are the
/// file system's own, so that the machines' clocks need not agree.
struct CellClaims: Sendable {
  let folder: String
  let stale: Double
  private let mark: String

  init(folder: String, stale: Double) {
    (self.folder, self.stale) = (folder, stale)
    mark = "\(ProcessInfo.processInfo.hostName)-\(getpid())-\(UInt32.random(in: .min ... .max))"
  }

  struct Claim: Sendable, Equatable {
    let name: String
    let number: Int
  }

  private func path(_ name: String, _ number: Int) -> String {
    "\(folder)/\(name).claim-\(number)"
  }

  /// - Returns: the claim; nil where another process has the cell.
  /// - Throws: ``SweepError/unwritable(path:reason:)``.
  func take(_ cell: SweepCell) throws(SweepError) -> Claim? {
    let side = "\(folder)/.\(cell.name).\(mark)"
    let words = Array((mark + "\n").utf8)
    guard FileManager.default.createFile(atPath: side, contents: Data(words)) else {
      throw .unwritable(path: side, reason: .ofLastCall)
    }
    defer { unlink(side) }
    let last = lastNumber(cell.name)
    if last > 0, let now = Self.seconds(side), let then = Self.seconds(path(cell.name, last)),
      now - then < stale
    {
      return nil
    }
    let claim = Claim(name: cell.name, number: last + 1)
    guard link(side, path(cell.name, claim.number)) == 0 else {
      if errno == EEXIST { return nil }
      throw .unwritable(path: path(cell.name, claim.number), reason: .ofLastCall)
    }
    return claim
  }

  private func lastNumber(_ name: String) -> Int {
    var number = 0
    while FileSystem.exists(path(name, number + 1)) { number += 1 }
    return number
  }

  private static func seconds(_ path: String) -> Double? {
    let stamp = FileSystem.stamp(path)
    guard stamp.node != 0 else { return nil }
    return Double(stamp.seconds) + Double(stamp.nanoseconds) / 1e9
  }

  /// Says that the claimant is alive.
  /// - Returns: false where the cell is another's by now.
  func renew(_ claim: Claim) -> Bool {
    guard utimensat(AT_FDCWD, path(claim.name, claim.number), nil, 0) == 0 else { return false }
    return !FileSystem.exists(path(claim.name, claim.number + 1))
  }

  /// Leaves a cell that has a result: nobody asks who had it any more.
  func forget(_ claim: Claim) {
    for number in 1...claim.number { unlink(path(claim.name, number)) }
  }

  /// Leaves a cell to whoever takes it next. The numbers below stay: were they gone, two processes
  /// could each take what they find as the first one.
  func release(_ claim: Claim) {
    unlink(path(claim.name, claim.number))
  }
}
