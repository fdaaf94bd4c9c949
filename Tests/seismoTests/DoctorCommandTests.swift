import Foundation
import Testing

@Suite(.timeLimit(.minutes(15)))
struct DoctorCommandTests {
  @Test func `without a terminal each check is a plain line`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let result = try binary.run(["doctor"])
    #expect(result.status == 0, "\(result.output)")
    #expect(!result.output.contains("\u{1b}"))
    let lines = result.output.split(separator: "\n")
    let subjects = lines.map { $0.prefix(12).trimmingCharacters(in: .whitespaces) }
    #expect(
      subjects == [
        "terminal", "cores", "AVX2, FMA", "BLAS", "sessions", "disk", "control", "settings",
        "themes",
      ])
    #expect(lines[6] == "control     ok      sockets in \(binary.path("run/seismo"))")
  }

  @Test func `a flaw in the person's files is told with its line`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let path = binary.path("config/seismo/config.toml")
    try Data("\non_alrm = \"true\"\n".utf8).write(to: URL(fileURLWithPath: path))
    let result = try binary.run(["doctor"])
    #expect(
      result.output.contains(
        "settings    note    \(path):2: unknown key 'on_alrm': did you mean 'on_alarm'?\n"))
  }

  @Test func `a place where nothing can be recorded ends with 1`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data().write(to: binary.folder.appending(path: "sessions"))
    let result = try binary.run(["doctor"])
    #expect(result.status == 1)
    #expect(result.output.contains("sessions    broken  sessions/ cannot be written"))
    #expect(result.errorLines.count == 1)
  }
}
