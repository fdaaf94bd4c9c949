import Dispatch
import Glibc
import Synchronization
import Testing

@testable import seismo

/// Signals that end a run, handed from one listener to the next.
@Suite(.serialized, .timeLimit(.minutes(15))) struct InterruptsTests {
  private final class Calls: Sendable {
    let count = Atomic(0)
  }

  @Test func `a signal reaches the newest listener, however short ago another one left`() {
    for round in 0..<20 {
      let isTaken = DispatchSemaphore(value: 0)
      var first: Interrupts? = Interrupts([SIGUSR1]) { _ in }
      _ = first
      first = nil
      let second = Interrupts([SIGUSR1]) { _ in isTaken.signal() }
      kill(getpid(), SIGUSR1)
      let outcome = isTaken.wait(timeout: .now() + 120)
      withExtendedLifetime(second) {}
      #expect(outcome == .success, "round \(round)")
      guard outcome == .success else { return }
    }
  }

  @Test func `the listener before takes signals again once the newest is gone`() {
    let isTaken = DispatchSemaphore(value: 0)
    let first = Interrupts([SIGUSR2]) { _ in isTaken.signal() }
    var second: Interrupts? = Interrupts([SIGUSR2]) { _ in }
    _ = second
    second = nil
    kill(getpid(), SIGUSR2)
    #expect(isTaken.wait(timeout: .now() + 120) == .success)
    withExtendedLifetime(first) {}
  }

  @Test func `a second signal ends at once, but for one that comes with the first`() {
    let request = EndRequest()
    let start = ContinuousClock.now
    #expect(request.take(SIGTERM, at: start) == .end)
    #expect(request.take(SIGTERM, at: start + .milliseconds(20)) == .same)
    #expect(request.take(SIGINT, at: start + .seconds(1)) == .endAtOnce)
    #expect(request.number == SIGTERM)
  }

  @Test func `a signal is told to the newest listener alone, so that it counts once`() {
    for _ in 0..<20 {
      let isTaken = DispatchSemaphore(value: 0)
      let earlier = Calls()
      let first = Interrupts([SIGUSR1]) { _ in
        earlier.count.add(1, ordering: .acquiringAndReleasing)
      }
      let second = Interrupts([SIGUSR1]) { _ in isTaken.signal() }
      kill(getpid(), SIGUSR1)
      #expect(isTaken.wait(timeout: .now() + 120) == .success)
      #expect(earlier.count.load(ordering: .acquiring) == 0)
      withExtendedLifetime((first, second)) {}
    }
  }
}
