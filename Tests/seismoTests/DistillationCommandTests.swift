import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct DistillationCommandTests {
  @Test func `a run with a teacher is reproduced while the teacher is there and the same`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    func train(_ name: String, _ options: [String]) throws {
      let run = try binary.run(
        [
          "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2",
          "--context", "16", "--batch", "4", "--steps", "6", "--headless", "--workers", "1",
          "--session", "\(name).seismo",
        ] + options)
      try #require(run.status == 0, "\(run.error)")
    }
    try train("teacher", [])
    try train("other", ["--seed", "5"])
    try train("student", ["--mixer", "ssm", "--distil", "teacher.checkpoints"])
    let reproduce = ["reproduce", "student.seismo", "--workers", "1"]
    let same = try binary.run(reproduce)
    #expect(same.status == 0 && same.output.contains("all equal"), "\(same.error)")
    let manager = FileManager.default
    try manager.removeItem(atPath: binary.path("teacher.checkpoints"))
    try manager.moveItem(
      atPath: binary.path("other.checkpoints"), toPath: binary.path("teacher.checkpoints"))
    let changed = try binary.run(reproduce)
    #expect(changed.status != 0 && changed.error.contains("teacher was "), "\(changed.error)")
    try manager.removeItem(atPath: binary.path("teacher.checkpoints"))
    let gone = try binary.run(reproduce)
    #expect(gone.status == 65 && gone.errorLines.count == 1, "\(gone.error)")
    #expect(gone.error.contains("teacher.checkpoints: no checkpoint there"))
  }
}
