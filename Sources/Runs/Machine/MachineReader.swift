import Foundation
import Glibc
import Telemetry

/// What a machine, and one program of it, have done since they were last looked at.
///
/// - Cost: some files of `/proc` a look; the program's own and those it has started, three files each.
struct MachineReader {
  typealias Reading = AcceleratorText.Reading

  /// Where the system's files lie: `/proc`, but for tests.
  let root: String
  let groups: [String]
  let process: Int32?

  private var lastTime: Double?
  private var lastProcessor: ProcText.ProcessorTimes?
  private var lastDisks: ProcText.Traffic?
  private var lastNetwork: ProcText.Traffic?
  private var lastTicks: [Int32: Double] = [:]
  private var lastIO: [Int32: ProcText.Traffic] = [:]

  /// More processes than that belong to one program of nobody's.
  private static let mostProcesses = 1024

  /// `process`: the program that trains; nil where nobody knows it.
  init(
    process: Int32?, root: String = "/proc",
    groups: [String] = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"]
  ) {
    (self.process, self.root, self.groups) = (process, root, groups)
  }

  private func text(_ name: String) -> String {
    (try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)) ?? ""
  }

  /// What is known now; rates from the second time on.
  mutating func read(now: Double) -> [Reading] {
    let seconds = lastTime.map { now - $0 } ?? 0
    lastTime = now
    var found: [(String, Double?)] = [("cpu", processorUse()), ("memory", memoryUse())]
    found += rates(
      "disk", ("read", "write"), ProcText.disks(text("diskstats")), &lastDisks, seconds)
    found += rates(
      "network", ("in", "out"), ProcText.network(text("net/dev")), &lastNetwork, seconds)
    if let process { found += use(of: family(of: process), seconds) }
    return found.compactMap { name, value in value.map { (MetricCatalog.machine(name), $0) } }
  }

  private mutating func processorUse() -> Double? {
    guard let present = ProcText.processorTimes(text("stat")) else { return nil }
    defer { lastProcessor = present }
    guard let last = lastProcessor, present.all > last.all else { return nil }
    return min(100, max(0, 100 * (present.busy - last.busy) / (present.all - last.all)))
  }

  private func memoryUse() -> Double? {
    let whole = ProcText.memoryUse(text("meminfo"))
    let shares = groups.compactMap { folder -> Double? in
      func text(_ name: String) -> String {
        (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
      }
      let stat = text("memory.stat")
      return ProcText.groupMemoryUse(
        limit: text("memory.max"), usage: text("memory.current"), stat: stat)
        ?? ProcText.groupMemoryUse(
          limit: text("memory.limit_in_bytes"), usage: text("memory.usage_in_bytes"), stat: stat)
    }
    return (shares + [whole].compactMap(\.self)).max()
  }

  private func rates(
    _ what: String, _ ways: (String, String), _ present: ProcText.Traffic,
    _ last: inout ProcText.Traffic?, _ seconds: Double
  ) -> [(String, Double?)] {
    defer { last = present }
    guard let last, seconds > 0 else { return [] }
    return [
      ("\(what).\(ways.0)", max(0, present.received - last.received) / seconds),
      ("\(what).\(ways.1)", max(0, present.sent - last.sent) / seconds),
    ]
  }
}

extension MachineReader {
  /// The process and all that it has started, as far as they live.
  private func family(of process: Int32) -> [Int32] {
    var (members, next) = ([process], 0)
    while next < members.count, members.count < Self.mostProcesses {
      let member = members[next]
      next += 1
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(member)/task"))
      for thread in threads ?? [] {
        let children = text("\(member)/task/\(thread)/children").split(separator: " ")
        for child in children.compactMap({ Int32($0) }) where !members.contains(child) {
          members.append(child)
        }
      }
    }
    return members
  }

  private mutating func use(of members: [Int32], _ seconds: Double) -> [(String, Double?)] {
    var (ticks, pages, isThere) = (0.0, 0.0, false)
    var traffic: ProcText.Traffic?
    var (allTicks, allIO): ([Int32: Double], [Int32: ProcText.Traffic]) = ([:], [:])
    for member in members {
      guard let found = ProcText.process(text("\(member)/stat")) else { continue }
      isThere = true
      pages += found.residentPages
      allTicks[member] = found.ticks
      if let last = lastTicks[member] { ticks += max(0, found.ticks - last) }
      guard let io = ProcText.io(text("\(member)/io")) else { continue }
      allIO[member] = io
      guard let last = lastIO[member] else { continue }
      traffic = traffic ?? ProcText.Traffic()
      traffic?.received += max(0, io.received - last.received)
      traffic?.sent += max(0, io.sent - last.sent)
    }
    let isFirst = lastTicks.isEmpty
    (lastTicks, lastIO) = (allTicks, allIO)
    guard isThere else { return [] }
    let memory = ("process.memory", Double?.some(pages * Double(sysconf(Int32(_SC_PAGESIZE)))))
    guard !isFirst, seconds > 0 else { return [memory] }
    let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
    return [
      ("process.cpu", 100 * ticks / perSecond / seconds), memory,
      ("process.read", traffic.map { $0.received / seconds }),
      ("process.write", traffic.map { $0.sent / seconds }),
    ]
  }
}
