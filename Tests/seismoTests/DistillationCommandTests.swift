import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct DistillationCommandTests {
  private func train(_ name: String, _ options: [String], _ binary: SeismoBinary) throws {
    let run = try binary.run(
      [
        "train", "--preset", "tiny", "--width", "16", "--layers", "1", "--heads", "2",
        "--context", "16", "--batch", "4", "--steps", "6", "--headless", "--workers", "1",
        "--session", "\(name).seismo",
      ] + options)
    try #require(run.status == 0, "\(run.error)")
  }

  @Test func `where the data has changed a run with a teacher is compared all the same`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    func write(_ word: String) throws {
      try String(repeating: word, count: 500).write(
        toFile: binary.path("text"), atomically: true, encoding: .utf8)
    }
    try write("a word or two. ")
    try train("teacher", ["--data", "text"], binary)
    try train("student", ["--data", "text", "--distil", "teacher.checkpoints"], binary)
    try write("two or a word. ")
    let changed = try binary.run(["reproduce", "student.seismo", "--workers", "1"])
    #expect(changed.status != 0 && changed.error.contains("data was "), "\(changed.error)")
    #expect(changed.error.contains("not reproduced") && !changed.error.contains("--distil"))
  }

  @Test func `a run with a teacher is reproduced while the teacher is there and the same`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try train("teacher", [], binary)
    try train("other", ["--seed", "5"], binary)
    try train("student", ["--mixer", "ssm", "--distil", "teacher.checkpoints"], binary)
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
    #expect(
      gone.error.contains(
        "teacher.checkpoints/step-000000006: the teacher of the run is there no more"))
  }
}
