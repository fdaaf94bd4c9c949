import Glibc
import Testing

@testable import Sessions

/// The clients of a control socket.
@Suite(.timeLimit(.minutes(15)))
struct ControlConnectionsTests {
  @Test func `where nobody can be let in, those who wait are let alone for a while`() throws {
    // A pipe that can be read but not accepted from, as a socket where no descriptor is left.
    var (waiting, alarm): ([CInt], [CInt]) = ([0, 0], [0, 0])
    try #require(pipe(&waiting) == 0 && pipe(&alarm) == 0)
    defer { for descriptor in waiting + alarm { close(descriptor) } }
    var byte: UInt8 = 1
    try #require(write(waiting[1], &byte, 1) == 1)
    var connections = ControlConnections()
    func isCalled() -> Bool {
      connections.poll(alarm: alarm[0], listener: waiting[0], hasRoom: true).isCalled
    }
    #expect(isCalled())
    connections.accept(from: waiting[0])
    #expect(connections.count == 0)
    #expect(!isCalled())
    #expect(isCalled())
  }
}
