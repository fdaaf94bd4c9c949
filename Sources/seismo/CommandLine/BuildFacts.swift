import CBuild
import Training

/// What the program was built from.
enum BuildFacts {
  /// `0.2.0 (9b719c5f2, avx2, MPI)`: the version, the commit where it is known, and what was built in.
  static var version: String {
    let facts = [String(cString: seismo_commit()), VectorLevel.built.rawValue, ranks].filter {
      !$0.isEmpty
    }
    return seismoVersion + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
  }

  private static var ranks: String {
    #if MPI
      "MPI"
    #else
      "without MPI"
    #endif
  }
}
