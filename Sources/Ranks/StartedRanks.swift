internal import Foundation

/// What the launcher of this process says of the ranks it started.
package enum StartedRanks {
  /// As Open MPI, MPICH and Slurm say it.
  private static let variables = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"]

  /// How to build a program that has ranks.
  package static let remedy =
    "build it with 'swift build -c release --traits MPI' and libopenmpi-dev or libmpich-dev"

  /// As many ranks as were started, with the variable that says so; nil where it is one.
  package static func launched(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> (variable: String, count: Int)? {
    for variable in variables {
      guard let count = environment[variable].flatMap(Int.init), count > 1 else { continue }
      return (variable, count)
    }
    return nil
  }

  /// Whether this program knows ranks at all.
  package static var isBuilt: Bool {
    #if MPI
      true
    #else
      false
    #endif
  }

  /// Begins to be one of the ranks that were started.
  /// - Parameter expected: as many as a person says there are; nil for any number.
  /// - Returns: all of them.
  /// - Throws: ``RankStartError``.
  package static func begin(expected: Int?) throws(RankStartError) -> any RankGroup {
    let launched = launched()
    guard launched != nil || expected ?? 1 > 1 else { return SoleRank() }
    #if MPI
      guard let launched else { throw .otherCount(expected: expected ?? 1, found: 1) }
      let ranks = try MPIRanks()
      if ranks.count == 1 {
        throw .strangers(variable: launched.variable, launched: launched.count)
      }
      guard ranks.count.nonzeroBitCount == 1 else { throw .notPowerOfTwo(ranks.count) }
      guard expected ?? ranks.count == ranks.count else {
        throw .otherCount(expected: expected ?? 1, found: ranks.count)
      }
      return ranks
    #else
      throw .notBuilt(
        asked: expected.map { "--ranks \($0)" }
          ?? launched.map { "\($0.variable) says \($0.count) ranks" } ?? "")
    #endif
  }
}

/// Why ranks do not begin. The description is one line.
package enum RankStartError: Error, Equatable, CustomStringConvertible {
  /// Ranks were started or asked for, and this program knows nothing of them.
  case notBuilt(asked: String)
  case notBegun(code: Int32)
  /// The launcher and the MPI that the program was built with do not know each other.
  case strangers(variable: String, launched: Int)
  /// Another number than was expected.
  case otherCount(expected: Int, found: Int)
  case notPowerOfTwo(Int)

  package var description: String {
    switch self {
    case .notBuilt(let asked): "\(asked), and this seismo has no ranks: \(StartedRanks.remedy)"
    case .notBegun(let code):
      "MPI does not begin (code \(code)): start seismo with the mpirun of the MPI it was built with"
    case .strangers(let variable, let launched):
      "\(variable) says \(launched) ranks and MPI knows of one: start seismo with the mpirun of"
        + " the MPI it was built with, or with srun --mpi=pmix or --mpi=pmi2"
    case .otherCount(let expected, let found):
      "--ranks \(expected) and \(found) \(found == 1 ? "is" : "are") started:"
        + " write mpirun -n \(expected) seismo train …"
    case .notPowerOfTwo(let count):
      "\(count) ranks are no power of two: start 2, 4, 8 or more of them"
    }
  }
}
