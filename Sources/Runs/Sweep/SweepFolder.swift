import Formats
import Foundation
import Sessions
package import Sweeps

/// The folder of a sweep: its grid, and a session and a result for each cell.
package struct SweepFolder: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  package static let usual = "sweeps"

  /// One that is not there yet, named after the time.
  package static func fresh() -> SweepFolder {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "MMdd-HHmmss"
    let stem = "\(usual)/\(format.string(from: Date()))"
    let paths = [stem] + (2...99).map { "\(stem)-\($0)" }
    return SweepFolder(path: paths.first { !FileSystem.exists($0) } ?? stem)
  }

  package var gridFile: String { path + "/sweep.toml" }
  package var holdsSweep: Bool { FileSystem.exists(gridFile) }

  package func session(of cell: SweepCell) -> String {
    "\(path)/\(cell.name)\(SessionSummary.ending)"
  }

  func resultFile(of cell: SweepCell) -> String { "\(path)/\(cell.name).json" }

  /// The grid that lies here.
  /// - Throws: ``SweepError/noSweep(folder:)``; what is wrong with the file.
  package func grid() throws -> Grid {
    guard holdsSweep else { throw SweepError.noSweep(folder: path) }
    return try SweepFile(path: gridFile).grid()
  }

  /// Puts `grid` here, behind the one that is here already where it is to be extended.
  /// - Returns: the grid as it lies here.
  /// - Throws: as ``joined(with:extending:)`` does; ``SweepError/unwritable(path:reason:)``.
  package func adopt(_ grid: Grid, extending: Bool) throws -> Grid {
    let whole = try joined(with: grid, extending: extending)
    try take(whole)
    return whole
  }

  /// What lies here with `grid` beside it; changes nothing.
  /// - Throws: ``SweepError``: where another grid lies here that is not to be extended.
  package func joined(with grid: Grid, extending: Bool) throws -> Grid {
    guard holdsSweep else { return grid }
    let present = try self.grid()
    if present.isSame(as: grid) { return present }
    guard extending else { throw SweepError.otherGrid(folder: path) }
    guard present.draw == nil, grid.draw == nil else {
      throw SweepError.notExtendable(folder: path)
    }
    return try Grid(present.tables + grid.tables)
  }

  /// Puts `grid` here, where it does not lie here already.
  /// - Throws: ``SweepError/unwritable(path:reason:)``.
  package func take(_ grid: Grid) throws(SweepError) {
    if let present = try? self.grid(), present.isSame(as: grid) { return }
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: path, reason: .other("the folder cannot be made"))
    }
    try write(Array(grid.text.utf8), to: gridFile)
  }

  /// The file is whole or not there, whatever happens meanwhile.
  private func write(_ bytes: [UInt8], to file: String) throws(SweepError) {
    let side = "\(file).\(getpid())-\(UInt32.random(in: .min ... .max)).partial"
    let descriptor = open(side, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .unwritable(path: file, reason: .ofLastCall)
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    let isWhole = rest.isEmpty && fsync(descriptor) == 0
    let obstacle = FileObstacle.ofLastCall
    close(descriptor)
    guard isWhole, rename(side, file) == 0 else {
      let reason = isWhole ? FileObstacle.ofLastCall : obstacle
      unlink(side)
      throw .unwritable(path: file, reason: reason)
    }
  }
}

extension SweepFolder {
  /// Writes down what a cell came to.
  /// - Throws: ``SweepError/unwritable(path:reason:)``.
  func write(_ result: CellResult, of cell: SweepCell) throws(SweepError) {
    try write(Array((result.json + "\n").utf8), to: resultFile(of: cell))
  }

  /// What is written down of a cell, whoever ran it; nil where it has not ended.
  package func result(of cell: SweepCell) -> CellResult? {
    guard let data = FileManager.default.contents(atPath: resultFile(of: cell)),
      var result = CellResult(json: Array(data))
    else { return nil }
    // The folder may have been moved, or is looked at from elsewhere.
    result.session = session(of: cell)
    return result
  }
}
