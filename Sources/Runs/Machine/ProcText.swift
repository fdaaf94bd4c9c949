import Foundation

/// What the files of `/proc` say, taken from their text.
enum ProcText {
  /// Seconds of all cores, or counts since the start.
  struct ProcessorTimes: Equatable {
    let busy: Double
    let all: Double
  }

  /// The first line of `/proc/stat`, in ticks: waiting for a disk is no work.
  static func processorTimes(_ stat: String) -> ProcessorTimes? {
    guard let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") }) else {
      return nil
    }
    // Guests' time is in that of user programs already.
    let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    guard ticks.count >= 4 else { return nil }
    let all = ticks.reduce(0, +)
    let idle = ticks[3] + (ticks.count > 4 ? ticks[4] : 0)
    return ProcessorTimes(busy: all - idle, all: all)
  }

  /// The share of memory in use that `/proc/meminfo` says, in per cent; what can be had back at once
  /// is not in use.
  static func memoryUse(_ meminfo: String) -> Double? {
    var found: [Substring: Double] = [:]
    for line in meminfo.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 1, let number = Double(words[1]) else { continue }
      found[words[0].dropLast()] = number
    }
    guard let total = found["MemTotal"], total > 0,
      let available = found["MemAvailable"] ?? found["MemFree"]
    else { return nil }
    return min(100, max(0, 100 * (1 - available / total)))
  }

  /// The share of a control group's limit in use, in per cent; nil where it has none.
  ///
  /// `limit` is `memory.max` or `memory.limit_in_bytes`, `usage` is `memory.current` or
  /// `memory.usage_in_bytes`. Of `memory.stat` pages of files that nobody needs now are not in use.
  static func groupMemoryUse(limit: String, usage: String, stat: String) -> Double? {
    func number(_ text: some StringProtocol) -> Double? {
      Double(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    // Without a limit it is a word, or more than any machine has.
    guard let limit = number(limit), limit > 0, limit < 0x1p50, let usage = number(usage) else {
      return nil
    }
    var spare = 0.0
    for line in stat.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let bytes = number(words[1]) else { continue }
      if words[0] == "total_inactive_file" || words[0] == "inactive_file" { spare = bytes }
    }
    let share: Double = 100 * (usage - spare) / limit
    return min(100, max(0, share))
  }

  /// Bytes, in and out.
  struct Traffic: Equatable {
    var received = 0.0
    var sent = 0.0
  }

  /// What the whole disks of `/proc/diskstats` have read and written.
  static func disks(_ diskstats: String) -> Traffic {
    let rows = diskstats.split(separator: "\n").map { $0.split(separator: " ") }
      .filter { $0.count >= 10 }
    let names = Set(rows.map { $0[2] })
    var traffic = Traffic()
    for row in rows where isDisk(row[2], among: names) {
      // Sectors have 512 bytes here, whatever the disk's have.
      traffic.received += (Double(row[5]) ?? 0) * 512
      traffic.sent += (Double(row[9]) ?? 0) * 512
    }
    return traffic
  }

  /// Neither a part of a disk that is there, nor one that lies on others.
  private static func isDisk(_ name: Substring, among names: Set<Substring>) -> Bool {
    let others = ["loop", "ram", "zram", "dm-", "md", "sr", "fd"]
    guard !others.contains(where: { name.hasPrefix($0) }) else { return false }
    var whole = name
    while let last = whole.last, last.isNumber { whole.removeLast() }
    guard whole != name else { return true }
    if names.contains(whole) { return false }
    // `nvme0n1p2` is a part of `nvme0n1`.
    guard whole.last == "p" else { return true }
    return !names.contains(whole.dropLast())
  }

  /// What the interfaces of `/proc/net/dev` have received and sent, but to the machine itself.
  static func network(_ dev: String) -> Traffic {
    var traffic = Traffic()
    for line in dev.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].trimmingCharacters(in: .whitespaces)
      let counts = line[line.index(after: colon)...].split(separator: " ").map { Double($0) ?? 0 }
      let isInner = ["lo", "docker", "veth", "br-", "virbr"].contains { name.hasPrefix($0) }
      guard !isInner, counts.count >= 9 else { continue }
      traffic.received += counts[0]
      traffic.sent += counts[8]
    }
    return traffic
  }
}

extension ProcText {
  /// What `/proc/PID/stat` says of a process.
  struct Process: Equatable {
    /// Of its own and of children that have ended.
    let ticks: Double
    let residentPages: Double
  }

  /// The name in brackets may hold anything.
  static func process(_ stat: String) -> Process? {
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
      let pages = Double(fields[21])
    else { return nil }
    return Process(ticks: user + system, residentPages: max(0, pages))
  }

  /// What `/proc/PID/io` says of disks.
  static func io(_ text: String) -> Traffic? {
    var traffic: Traffic?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = Double(words[1]) else { continue }
      switch words[0] {
      case "read_bytes:": traffic = Traffic(received: number, sent: traffic?.sent ?? 0)
      case "write_bytes:": traffic = Traffic(received: traffic?.received ?? 0, sent: number)
      default: break
      }
    }
    return traffic
  }
}
