import Foundation
import Glibc
import Signals
import Telemetry
import Testing
import TestSupport

@testable import Runs

/// What files of `/proc` and the tools of accelerators say, on texts that machines gave.
@Suite(.timeLimit(.minutes(15))) struct MachineTextTests {
  @Test func `processors are busy with all but idleness and waiting`() {
    let stat = "cpu  4172107 133386 738543 1020120 24495 0 7138 42697 900 0\ncpu0 1 2 3 4\n"
    let times = ProcText.processorTimes(stat)
    #expect(times?.busy == 5_093_871.0)
    #expect(times?.all == (times?.busy ?? 0) + 1_020_120 + 24_495)
    #expect(ProcText.processorTimes("cpu  1 2\n") == nil)
    #expect(ProcText.processorTimes("") == nil)
  }

  @Test func `memory that can be had back is not in use`() {
    let text = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    750 kB\n"
    #expect(ProcText.memoryUse(text) == 25)
    #expect(ProcText.memoryUse("MemTotal: 1000 kB\nMemFree: 100 kB\n") == 90)
    #expect(ProcText.memoryUse("MemTotal: 0 kB\nMemFree: 100 kB\n") == nil)
  }

  @Test(arguments: [
    ("1000\n", "600\n", "anon 1\ninactive_file 100\n", 50.0 as Double?),
    ("1000", "600", "inactive_file 7\ntotal_inactive_file 200\n", 40),
    ("1000", "1600", "", 100), ("max\n", "600", "", nil), ("9223372036854771712", "600", "", nil),
    ("", "", "", nil),
  ])
  func `a container's limit is its memory`(limit: String, usage: String, stat: String, use: Double?)
  {
    #expect(ProcText.groupMemoryUse(limit: limit, usage: usage, stat: stat) == use)
  }

  @Test func `of disks the whole ones count, once`() {
    let text = """
         7       0 loop0 9 0 9 0 9 0 9 0 0 0 0
       259       0 nvme0n1 10 0 100 0 20 0 200 0 0 0 0
       259       1 nvme0n1p1 10 0 90 0 20 0 190 0 0 0 0
         8       0 sda 1 0 8 0 1 0 16 0 0 0 0
         8       1 sda1 1 0 8 0 1 0 16 0 0 0 0
       252       0 dm-0 1 0 8 0 1 0 16 0 0 0 0
       254      16 vdb1 1 0 1 0 1 0 1 0 0 0 0
      """
    #expect(ProcText.disks(text) == .init(received: 109 * 512, sent: 217 * 512))
  }

  @Test func `of networks those to elsewhere count`() {
    let text = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
          lo: 2464388   21204    0    0    0     0          0         0  2464388   21204    0    0
        eth0: 100  1    0    0    0     0          0         0  30  100132    0    0    0     0
       wlan0:5 1 0 0 0 0 0 0 7 1 0 0 0 0
      """
    #expect(ProcText.network(text) == .init(received: 105, sent: 37))
  }

  @Test func `a process may be called anything`() {
    let text =
      "8183 (a) b) R 8175 8175 4472 0 -1 4194304 102 0 0 0 30 12 0 0 20 0 1 0 3071986 3133440 382 "
      + "18446744073709551615 1 2"
    #expect(ProcText.process(text) == .init(ticks: 42, residentPages: 382))
    #expect(ProcText.process("1 (x) R 1") == nil)
    #expect(
      ProcText.io("rchar: 9\nread_bytes: 4096\nwrite_bytes: 512\n")
        == .init(received: 4096, sent: 512))
    #expect(ProcText.io("rchar: 9\n") == nil)
  }

  private func words(_ readings: [AcceleratorText.Reading]) -> [String] {
    readings.map { "\($0.name.path.dropFirst(7)) \($0.value)" }
  }

  @Test func `nvidia-smi tells a line an accelerator, and says what it does not know`() {
    #expect(
      words(AcceleratorText.nvidia(line: "1, 37, 40000, 80000, 45, 123.45")) == [
        "gpu.1.util 37.0", "gpu.1.memory 50.0", "gpu.1.memory_bytes \(40_000.0 * 1_048_576)",
        "gpu.1.temp 45.0", "gpu.1.power 123.45",
      ])
    #expect(
      words(AcceleratorText.nvidia(line: "0, [N/A], 0, 80000, 45, [Not Supported]")) == [
        "gpu.0.memory 0.0", "gpu.0.memory_bytes 0.0", "gpu.0.temp 45.0",
      ])
    for line in ["", "No devices were found", "-1, 3, 1, 2, 3, 4", "0, 37, 1"] {
      #expect(AcceleratorText.nvidia(line: line).isEmpty, "\(line)")
    }
  }

  @Test func `rocm-smi tells an object a card, in the words of its version`() {
    let text = """
      WARNING: AMD GPU device(s) is/are in a low-power state.
      {"card0": {"Temperature (Sensor edge) (C)": "45.0", "Temperature (Sensor junction) (C)":
       "47.0", "Average Graphics Package Power (W)": "35.0", "GPU use (%)": "99",
       "VRAM Total Memory (B)": "16000", "VRAM Total Used Memory (B)": "4000"},
       "card1": {"GPU use (%)": "0", "Current Socket Graphics Package Power (W)": 90},
       "system": {"Driver version": "6.3"}}
      """
    #expect(
      words(AcceleratorText.rocm(text)) == [
        "gpu.0.util 99.0", "gpu.0.memory 25.0", "gpu.0.memory_bytes 4000.0", "gpu.0.temp 47.0",
        "gpu.0.power 35.0", "gpu.1.util 0.0", "gpu.1.power 90.0",
      ])
    #expect(AcceleratorText.rocm("rocm-smi: no driver").isEmpty)
    #expect(AcceleratorText.rocm("{\"card0\": 3, \"cardx\": {}}").isEmpty)
  }
}

/// The machine as it is looked at.
@Suite(.timeLimit(.minutes(15))) struct MachineMonitorTests {
  private let place: TestFolder
  private var folder: URL { place.url }

  init() throws { place = try TestFolder() }

  private func write(_ files: [String: String]) throws {
    for (name, text) in files {
      let url = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
  }

  private func process(_ ticks: Int, pages: Int) -> String {
    "1 (python) R 1 1 1 0 -1 1 1 0 0 0 \(ticks) 0 0 0 20 0 1 0 3071986 3133440 \(pages) 1 2"
  }

  @Test func `rates are those since the last look, of a program and all it started`() throws {
    try write([
      "stat": "cpu 100 0 0 100\n", "meminfo": "MemTotal: 100 kB\nMemAvailable: 40 kB\n",
      "diskstats": "8 0 sda 1 0 8 0 1 0 16 0 0 0 0\n",
      "net/dev": "eth0: 100 0 0 0 0 0 0 0 200 0\n", "7/stat": process(10, pages: 3),
      "7/io": "read_bytes: 0\nwrite_bytes: 10\n", "7/task/7/children": "",
      "7/task/8/children": "9 ", "9/stat": process(100, pages: 2), "9/task/9/children": "7 9",
    ])
    var reader = MachineReader(process: 7, root: folder.path, groups: [])
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    let first = reader.read(now: 10).map { "\($0.name) \($0.value)" }
    #expect(first == ["system/memory 60.0", "system/process.memory \(5 * page)"])
    try write([
      "stat": "cpu 130 0 0 110\n", "diskstats": "8 0 sda 1 0 12 0 1 0 20 0 0 0 0\n",
      "net/dev": "eth0: 150 0 0 0 0 0 0 0 200 0\n", "7/stat": process(60, pages: 3),
      "7/io": "read_bytes: 0\nwrite_bytes: 110\n", "9/stat": process(200, pages: 2),
    ])
    let second = Dictionary(
      reader.read(now: 12).map { ($0.name.path, $0.value) }, uniquingKeysWith: { $1 })
    #expect(second["system/cpu"] == 75)
    #expect(second["system/disk.read"] == 1024.0)
    #expect(second["system/network.in"] == 25 && second["system/network.out"] == 0)
    #expect(second["system/process.cpu"] == 100 * 150 / Double(sysconf(Int32(_SC_CLK_TCK))) / 2)
    #expect(second["system/process.write"] == 50)
    try FileManager.default.removeItem(at: folder.appendingPathComponent("7"))
    #expect(!reader.read(now: 13).contains { $0.name.path.hasPrefix("system/process") })
  }

  @Test func `a machine that tells nothing has nothing recorded`() throws {
    var reader = MachineReader(process: 7, root: folder.path, groups: [folder.path])
    #expect(reader.read(now: 1).isEmpty)
    #expect(reader.read(now: 2).allSatisfy { $0.value == 0 })
  }

  private func tool(_ name: String, _ script: String) throws {
    let url = folder.appendingPathComponent(name)
    try "#!/bin/sh\n\(script)\n".write(to: url, atomically: true, encoding: .utf8)
    chmod(url.path, 0o700)
  }

  @Test func `tools that are there are asked, one that goes on and one each time`() throws {
    try tool("nvidia-smi", "while :; do echo '0, 50, 1, 4, 30, 100'; sleep 0.05; done")
    try tool("rocm-smi", "echo '{\"card2\": {\"GPU use (%)\": \"7\"}}'")
    let tools = AcceleratorTool.all(path: "/nowhere:\(folder.path)")
    #expect(tools.count == 2)
    var counts: [MetricName: Int] = [:]
    let deadline = ContinuousClock.now + .seconds(120)
    while min(counts["system/gpu.0.util"] ?? 0, counts["system/gpu.2.util"] ?? 0) < 2,
      ContinuousClock.now < deadline
    {
      for reading in tools.flatMap({ $0.read() }) { counts[reading.name, default: 0] += 1 }
      usleep(10_000)
    }
    #expect(counts["system/gpu.0.util"] ?? 0 >= 2 && counts["system/gpu.2.util"] ?? 0 >= 2)
    #expect(AcceleratorTool.all(path: "/nowhere").isEmpty)
  }

  @Test func `a tool that fails is asked no more`() throws {
    try tool("rocm-smi", "echo x >>\"\(folder.path)/asked\"; exit 1")
    let tools = AcceleratorTool.all(path: folder.path)
    let asked = folder.appendingPathComponent("asked")
    let deadline = ContinuousClock.now + .seconds(120)
    while !FileManager.default.fileExists(atPath: asked.path), ContinuousClock.now < deadline {
      _ = tools[0].read()
      usleep(10_000)
    }
    for _ in 0..<20 {
      #expect(tools[0].read().isEmpty)
      usleep(10_000)
    }
    #expect(try String(contentsOf: asked, encoding: .utf8) == "x\n")
  }

  @Test func `a new step has what the machine did meanwhile, once`() throws {
    let monitor = MachineMonitor(process: getpid(), thresholds: AlarmThresholds())
    var found: StepSamples?
    let deadline = ContinuousClock.now + .seconds(120)
    var step = 0
    while found?["system/process.cpu"] == nil, ContinuousClock.now < deadline {
      step += 1
      let row = StepSamples(step: step, wallTime: 5, names: ["loss"], values: [3])
      if case .samples(let samples) = monitor.accompanied(.samples(row)), samples.names.count > 1 {
        found = samples
      }
      usleep(20_000)
    }
    let samples = try #require(found)
    #expect(samples.names.first == "loss" && samples.wallTime == 5)
    #expect(samples["system/process.memory"] ?? 0 > 1_000_000)
    #expect(samples.names.allSatisfy { MetricCatalog.family(of: $0) != nil })
    let again = StepSamples(step: step, wallTime: 5, names: ["loss/eval"], values: [3])
    usleep(1_500_000)
    guard case .samples(let same) = monitor.accompanied(.samples(again)) else { return }
    #expect(same.names == ["loss/eval"])
    _ = monitor.accompanied(.generation(startingAt: 0))
    guard case .samples(let after) = monitor.accompanied(.samples(again)) else { return }
    #expect(after.names.count > 1)
  }
}
