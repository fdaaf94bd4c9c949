extension MetricCatalog {
  /// What a machine says of itself once a second while a run goes on.
  static let machineFamilies: [MetricFamily] = [
    ofMachine("cpu", unit: "%", .mean, "share of the machine's processor time that is in use"),
    ofMachine(
      "memory", unit: "%", .maximum,
      "share of memory in use: the machine's, or its container's where that is nearer its end"),
    ofMachine("disk.read", unit: "bytes/s", .mean, "read from the machine's disks"),
    ofMachine("disk.write", unit: "bytes/s", .mean, "written to the machine's disks"),
    ofMachine("network.in", unit: "bytes/s", .mean, "received, but from the machine itself"),
    ofMachine("network.out", unit: "bytes/s", .mean, "sent, but to the machine itself"),
    ofMachine(
      "process.cpu", unit: "%", .mean,
      "processor time of the program that trains and those it started; 100 is one core"),
    ofMachine("process.memory", unit: "bytes", .maximum, "resident memory of these programs"),
    ofMachine("process.read", unit: "bytes/s", .mean, "what these programs read from disks"),
    ofMachine("process.write", unit: "bytes/s", .mean, "what these programs write to disks"),
    ofMachine("gpu.N.util", unit: "%", .mean, "share of the time that accelerator N is busy"),
    ofMachine("gpu.N.memory", unit: "%", .maximum, "share of accelerator N's memory in use"),
    ofMachine("gpu.N.memory_bytes", unit: "bytes", .maximum, "accelerator N's memory in use"),
    ofMachine("gpu.N.temp", unit: "°C", .maximum, "temperature of accelerator N"),
    ofMachine("gpu.N.power", unit: "W", .mean, "what accelerator N draws"),
  ]

  private static func ofMachine(
    _ name: String, unit: String, _ reduction: MetricReduction, _ meaning: String
  ) -> MetricFamily {
    MetricFamily(
      machinePrefix + name, unit: unit, reduction: reduction, isMeasuredByClock: true,
      meaning: meaning)
  }

  private static let machinePrefix = "system/"
  private static let acceleratorPrefix = "system/gpu."

  /// Whether a machine says it and not the run, whoever recorded it.
  package static func isMachine(_ name: MetricName) -> Bool {
    name.path.utf8.starts(with: machinePrefix.utf8)
  }

  /// What a machine says under this name.
  package static func machine(_ name: String) -> MetricName { MetricName(machinePrefix + name) }

  /// What an accelerator says of itself.
  package enum AcceleratorMetric: String, Sendable, CaseIterable {
    case util, memory, temp, power
    case memoryBytes = "memory_bytes"
  }

  package static func accelerator(_ number: Int, _ metric: AcceleratorMetric) -> MetricName {
    MetricName("\(acceleratorPrefix)\(number).\(metric.rawValue)")
  }

  /// Which accelerator says what under this name; nil where none does.
  package static func accelerator(
    of name: MetricName
  ) -> (number: Int, metric: AcceleratorMetric)? {
    guard let parts = acceleratorParts(of: name), let number = Int(parts.number),
      let metric = AcceleratorMetric(rawValue: String(parts.rest))
    else { return nil }
    return (number, metric)
  }

  /// The name with N for an accelerator's number.
  static func withoutNumber(_ name: MetricName) -> String {
    acceleratorParts(of: name).map { "\(acceleratorPrefix)N.\($0.rest)" } ?? name.path
  }

  /// The number in a name of an accelerator's, and what is behind it.
  package static func acceleratorParts(
    of name: MetricName
  ) -> (number: Substring, rest: Substring)? {
    guard name.path.utf8.starts(with: acceleratorPrefix.utf8) else { return nil }
    let behind = name.path.dropFirst(acceleratorPrefix.count)
    guard let dot = behind.firstIndex(of: "."), dot > behind.startIndex,
      behind[..<dot].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return (behind[..<dot], behind[behind.index(after: dot)...])
  }
}
