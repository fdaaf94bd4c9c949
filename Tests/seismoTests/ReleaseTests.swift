import Foundation
import TestSupport
import Testing
import Training

/// What must agree before a version is published.
@Suite(.timeLimit(.minutes(15))) struct ReleaseTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  @Test func `program, client and change log tell one version`() throws {
    let client = try text("clients/python/src/seismo/_version.py")
    #expect(client == "__version__ = \"\(seismoVersion)\"\n")
    let heading = try text("CHANGELOG.md").split(separator: "\n").first { $0.hasPrefix("## ") }
    #expect(heading == "## \(seismoVersion)")
  }

  @Test(arguments: ["launcher", "package"])
  func `what is run can be run, and begins with what runs it`(script: String) throws {
    let path = Self.root.appending(path: "scripts/\(script)").path
    #expect(FileManager.default.isExecutableFile(atPath: path))
    #expect(try text("scripts/\(script)").hasPrefix("#!"))
  }

  @Test func `the launcher starts what it is told, and says what there is`() throws {
    let made = try TestFolder()
    let root = made.url
    let folder = root.appending(path: "lib/seismo")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      at: root.appending(path: "bin"), withIntermediateDirectories: true)
    for level in ["avx2", "plain"] {
      let file = folder.appending(path: "seismo-\(level)")
      try Data("#!/bin/sh\necho \(level) \"$@\"\n".utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
    let launcher = root.appending(path: "bin/seismo")
    try FileManager.default.copyItem(
      at: Self.root.appending(path: "scripts/launcher"), to: launcher)
    let link = root.appending(path: "seismo")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: launcher)

    #expect(try run(link, vector: "plain") == ("plain a b\n", "", 0))
    #expect(try run(launcher, vector: "avx2") == ("avx2 a b\n", "", 0))
    let refused = try run(launcher, vector: "avx512")
    let what = "seismo: SEISMO_VECTOR is 'avx512', and this installation has: avx2 plain\n"
    #expect(refused == ("", what, 2))
  }

  private func run(_ program: URL, vector: String) throws -> (String, String, Int32) {
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = program
    process.arguments = ["a", "b"]
    process.environment = ["PATH": "/usr/bin:/bin", "SEISMO_VECTOR": vector]
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    process.waitForEnd()
    func said(_ pipe: Pipe) -> String {
      String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    return (said(output), said(errors), process.terminationStatus)
  }
}
