import Foundation
import Glibc
import Synchronization
import Testing
import TestSupport

/// An `sshd` of the test's own on loopback, with keys made for it, and an `ssh` that knows it as
/// `loop`. Nothing here waits longer than two minutes, for its programs as for its port.
final class LoopbackSSH {
  let folder: URL
  /// The client to use.
  let client: String
  private let server: Process
  private let proxy: SlowProxy?

  private static let daemon = "/usr/sbin/sshd"

  static var isInstalled: Bool {
    [daemon, "/usr/bin/ssh", "/usr/bin/ssh-keygen"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// `environment`: assignments in front of what the far shell is asked to do.
  /// `slowedBy`: what lies between the client and it.
  init(_ folder: URL, environment: String, slowedBy proxy: SlowProxy? = nil) throws {
    self.folder = folder
    self.proxy = proxy
    let port = try Self.freePort()
    for key in ["host", "user"] {
      try Self.run(
        "/usr/bin/ssh-keygen",
        ["-q", "-t", "ed25519", "-N", "", "-f", folder.appendingPathComponent(key).path])
    }
    func write(_ text: String, _ name: String) throws -> String {
      let url = folder.appendingPathComponent(name)
      try text.write(to: url, atomically: true, encoding: .utf8)
      return url.path
    }
    let place = folder.path
    let settings = try write(
      """
      Port \(port)
      ListenAddress 127.0.0.1
      HostKey \(place)/host
      AuthorizedKeysFile \(place)/user.pub
      StrictModes no
      UsePAM no
      PidFile none
      PasswordAuthentication no
      KbdInteractiveAuthentication no
      ForceCommand \(environment) sh -c "$SSH_ORIGINAL_COMMAND"

      """, "sshd_config")
    let known = try write(
      """
      Host loop
        HostName 127.0.0.1
        Port \(proxy?.port ?? port)
        IdentityFile \(place)/user
        IdentitiesOnly yes
        UserKnownHostsFile \(place)/known
        StrictHostKeyChecking accept-new

      """, "ssh_config")
    client = try write("#!/bin/sh\nexec /usr/bin/ssh -F \(known) \"$@\"\n", "ssh")
    chmod(client, 0o700)
    // As root it wants this folder for its unprivileged part.
    if getuid() == 0 { mkdir("/run/sshd", 0o755) }
    server = Process()
    server.executableURL = URL(fileURLWithPath: Self.daemon)
    server.arguments = ["-D", "-e", "-f", settings]
    server.standardInput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    try server.run()
    try #require(Self.answers(port))
    proxy?.start(to: port)
  }

  func end() {
    proxy?.end()
    cut()
    server.terminate()
    server.waitForEnd()
  }

  /// Kills every connection there is.
  func cut() {
    let children = "/proc/\(server.processIdentifier)/task/\(server.processIdentifier)/children"
    for child in ((try? String(contentsOfFile: children, encoding: .utf8)) ?? "").split(
      separator: " ")
    {
      let below =
        (try? String(contentsOfFile: "/proc/\(child)/task/\(child)/children", encoding: .utf8))
      for number in [String(child)] + (below ?? "").split(separator: " ").map(String.init) {
        if let number = pid_t(number) { kill(number, SIGKILL) }
      }
    }
  }

  private static func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitForEnd()
    try #require(process.terminationStatus == 0)
  }

  /// A port that nobody listens on.
  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(isBound)
    return UInt16(bigEndian: address.sin_port)
  }

  static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func answers(_ port: UInt16) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
      let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = loopback(port)
      let isOpen = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      if isOpen { return true }
      usleep(20_000)
    }
    return false
  }
}

/// A way to a server that hands on a little at a time, and breaks after so many bytes.
final class SlowProxy: Sendable {
  let port: UInt16
  private let listener: CInt
  private let limits: Mutex<[Int]>
  private let isOver = Mutex(false)
  /// Connections that were broken.
  let cuts = Mutex(0)

  private static let piece = 4096

  /// `limits`: the bytes after which each connection breaks, one after another; then none does.
  init(limits: [Int]) throws {
    self.limits = Mutex(limits)
    let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = LoopbackSSH.loopback(0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
          && listen(listener, 8) == 0
      }
    }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    try #require(isBound)
  }

  func start(to target: UInt16) {
    Thread.detachNewThread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0, !isOver.withLock({ $0 }) else { break }
        let limit = limits.withLock { $0.isEmpty ? Int.max : $0.removeFirst() }
        Thread.detachNewThread { [self] in pass(client, target, limit) }
      }
    }
  }

  func end() {
    isOver.withLock { $0 = true }
    shutdown(listener, CInt(SHUT_RDWR))
    close(listener)
  }

  private func pass(_ client: CInt, _ target: UInt16, _ limit: Int) {
    let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { for descriptor in [client, server] { close(descriptor) } }
    var address = LoopbackSSH.loopback(target)
    let isOpen = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isOpen else { return }
    var left = limit
    while !isOver.withLock({ $0 }) {
      var waiting = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        pollfd(fd: server, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&waiting, 2, 200) >= 0 else { return }
      if waiting[0].revents != 0, Self.hand(client, server, most: Self.piece) <= 0 { return }
      guard waiting[1].revents != 0 else { continue }
      let count = Self.hand(server, client, most: min(left, Self.piece))
      left -= count
      if left == 0 { cuts.withLock { $0 += 1 } }
      guard count > 0, left > 0 else { return }
      usleep(2000)
    }
  }

  private static func hand(_ from: CInt, _ to: CInt, most: Int) -> Int {
    var bytes = [UInt8](repeating: 0, count: most)
    let count = read(from, &bytes, most)
    guard count > 0 else { return 0 }
    return send(to, bytes, count, CInt(MSG_NOSIGNAL)) == count ? count : 0
  }
}
