import Foundation
import Ranks
import TestSupport
import Testing

/// A program without ranks does not pretend to be one of several; `.ci/ranks` tries one that has them.
@Suite(.timeLimit(.minutes(15)), .enabled(if: !StartedRanks.isBuilt))
struct RankCommandTests {
  private static let remedy =
    "and this seismo has no ranks: build it with 'swift build -c release --traits MPI' and"
    + " libopenmpi-dev or libmpich-dev"

  @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"])
  func `one of several processes is refused, and told how to build it`(variable: String) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    for arguments in [["train", "--preset", "tiny", "--headless"], []] {
      let process = binary.process(arguments)
      process.environment = binary.environment.merging([variable: "4"]) { _, own in own }
      let result = try binary.result(of: process)
      #expect(result.status == 64)
      #expect(result.error == "seismo: \(variable) says 4 ranks, \(Self.remedy)\n")
      #expect(result.output.isEmpty)
    }
    #expect(!FileManager.default.fileExists(atPath: binary.path("sessions")))
  }

  @Test(arguments: [["train", "--ranks", "4"], ["bench", "--ranks"]])
  func `who asks for ranks is told how to get them`(arguments: [String]) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let result = try binary.run(arguments)
    #expect(result.status == 64)
    let asked = arguments.dropFirst().joined(separator: " ")
    #expect(result.error == "seismo: \(asked), \(Self.remedy)\n")
  }

  @Test func `a launcher that starts one process changes nothing`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let process = binary.process([
      "train", "--preset", "tiny", "--steps", "2", "--headless", "--ranks", "1", "--slices", "2",
    ])
    process.environment = binary.environment.merging(["OMPI_COMM_WORLD_SIZE": "1"]) { _, own in own
    }
    #expect(try binary.result(of: process).status == 0)
  }
}
