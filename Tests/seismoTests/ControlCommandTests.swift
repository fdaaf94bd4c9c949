import Foundation
import Glibc
import Testing
import TestSupport

/// Commands from another process, through the real program.
@Suite(.timeLimit(.minutes(15)))
struct ControlCommandTests {
  @Test func `each command is answered, applied or refused with its reason`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let paused = try run.control("pause")
    #expect(paused.status == 0)
    #expect(paused.output.hasPrefix("applied at step "))
    #expect(paused.output.hasSuffix(": pause\n"))
    let again = try run.control("pause")
    #expect(again.status == 1)
    #expect(again.output.isEmpty)
    #expect(again.error.hasPrefix("seismo: pause refused at step "))
    #expect(again.error.hasSuffix(": the run is paused\n"))
    let set = try run.control("set", "z_loss", "1e-4")
    #expect(set.output.hasSuffix("set z_loss 0 → 0.0001\n"))
    let checkpoint = try run.control("checkpoint")
    #expect(checkpoint.output.contains("checkpoint step-"))
    let json = try run.binary.run(["control", "--json", "a.seismo", "undo"])
    #expect(json.output.hasPrefix("{\"answer\":\"applied\",\"step\":"))
    #expect(try run.control("set", "z_los", "1").status == 64)
    #expect(try run.control("stop").status == 0)
    run.process.waitForEnd()
    #expect(run.process.terminationStatus == 0)
    let events = try run.binary.run(["export", "a.seismo", "--format", "json"]).output
    #expect(events.contains("\"event\":\"pause\",\"by\":\"control\""))
    #expect(events.contains("\"event\":\"refused\",\"name\":\"pause\",\"by\":\"control\""))
    #expect(try run.sockets() == [])
    #expect(try run.control("pause").status == 65)
  }

  @Test func `a run that was just detached is waited for`() throws {
    let run = try LiveBinary()
    defer {
      _ = try? run.control("stop")
      run.end()
    }
    #expect(try run.control("detach").status == 0)
    let paused = try run.control("pause")
    #expect(paused.status == 0, "\(paused.error)")
    #expect(try run.control("stop").status == 0)
  }

  @Test func `only this account may open the socket, and its folder`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let socket = try #require(try run.sockets().first)
    for (path, mode) in [(socket, 0o600), (run.binary.path("run/seismo"), 0o700)] {
      var status = stat()
      #expect(lstat(path, &status) == 0)
      #expect(Int(status.st_mode & 0o777) == mode)
    }
  }

  @Test func `the socket of a killed run misleads nobody`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    kill(run.process.processIdentifier, SIGKILL)
    run.process.waitForEnd()
    #expect(try run.sockets().count == 1)
    let result = try run.control("pause")
    #expect(result.status == 65)
    #expect(result.errorLines.count == 1)
    #expect(result.error.contains("no live run in a.seismo"))
  }

  @Test func `a session that is none, or is finished, is refused in one line`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    try Data("hello".utf8).write(to: binary.folder.appending(path: "b.seismo"))
    _ = try binary.run([
      "train", "--preset", "tiny", "--headless", "--steps", "2", "--session", "c.seismo",
    ])
    for name in ["a.seismo", "b.seismo", "c.seismo"] {
      let result = try binary.run(["control", name, "pause"])
      #expect(result.status == 65)
      #expect(result.errorLines.count == 1)
    }
  }

  @Test func `garbage, endless lines and rude clients leave the run and the others alone`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let path = try #require(try run.sockets().first)
    let endless = try RawClient(path)
    endless.send([UInt8](repeating: 120, count: 100_000))
    let garbage = try RawClient(path)
    garbage.send(Array("garbage\n\u{1}\n{\"command\":7}\n{\"command\":\"note \\u001b[2J\"}\n".utf8))
    #expect(garbage.lines(4).allSatisfy { $0.contains("\"answer\":\"refused\"") })
    garbage.send(Array("{\"command\":\"note hi\",\"by\":\"run\",\"id\":7}\n".utf8))
    let note = try #require(garbage.lines(1).first)
    #expect(note.hasPrefix("{\"answer\":\"applied\""))
    #expect(note.hasSuffix(",\"id\":7}"))
    for _ in 0..<40 { try RawClient(path).send(Array("{\"command\":\"pau".utf8)) }
    let flood = try RawClient(path)
    flood.send(
      Array(repeating: Array("{\"command\":\"note x\"}\n".utf8), count: 500).flatMap(\.self))
    #expect(try run.control("checkpoint").status == 0)
    #expect(run.process.isRunning)
  }
}

/// A client of a Unix socket with no manners of its own.
private final class RawClient {
  private let descriptor: CInt
  private var received: [UInt8] = []

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let code = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(code == 0)
  }

  deinit {
    close(descriptor)
  }

  func send(_ bytes: [UInt8]) {
    _ = Glibc.send(
      descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
  }

  func lines(_ count: Int) -> [String] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while received.filter({ $0 == 10 }).count < count {
      let length = recv(descriptor, &bytes, bytes.count, 0)
      guard length > 0 else { break }
      received += bytes.prefix(length)
    }
    let lines = received.split(separator: 10)
    received = Array(lines.dropFirst(count).joined(separator: [10]))
    return lines.prefix(count).map { String(decoding: $0, as: UTF8.self) }
  }
}
