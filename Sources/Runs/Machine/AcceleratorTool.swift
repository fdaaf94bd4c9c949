import Foundation
import Glibc
import Sessions

/// The program by which a maker's accelerators say what they do, asked about once a second for as
/// long as it answers.
final class AcceleratorTool {
  private enum Way {
    /// One process that goes on printing, a line an accelerator.
    case lines
    /// A process each time, which prints one document.
    case document
  }

  private let words: [String]
  private let way: Way
  private var process: ChildProcess?
  private var wire: ControlWire?
  private var output: [UInt8] = []
  private var isOver = false

  /// Nobody's accelerators have more to say.
  private static let mostBytes = 1 << 20

  private init(_ words: [String], _ way: Way) {
    (self.words, self.way) = (words, way)
  }

  deinit {
    guard let process else { return }
    process.send(SIGKILL)
    _ = process.wait()
  }

  /// The tools that are on the path.
  static func all(
    path: String = ProcessInfo.processInfo.environment["PATH"] ?? ""
  ) -> [AcceleratorTool] {
    func found(_ name: String) -> String? {
      path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
    var tools: [AcceleratorTool] = []
    if let nvidia = found("nvidia-smi") {
      tools.append(
        AcceleratorTool([nvidia] + AcceleratorText.nvidiaArguments + ["--loop=1"], .lines))
    }
    if let rocm = found("rocm-smi") {
      tools.append(AcceleratorTool([rocm] + AcceleratorText.rocmArguments, .document))
    }
    return tools
  }

  /// What has been said since this was last asked. Never waits: a slow tool says less often.
  func read() -> [AcceleratorText.Reading] {
    if process == nil, !isOver { start() }
    while let bytes = wire?.next() { output += bytes }
    if output.count > Self.mostBytes { end() }
    switch way {
    case .lines: return readLines()
    case .document: return readDocument()
    }
  }

  private func start() {
    guard let ends = try? ControlWire.pair() else { return end() }
    defer { close(ends.other) }
    let silence = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer { if silence >= 0 { close(silence) } }
    process = try? ChildProcess(
      words, input: silence, output: ends.other, errors: silence, leadsGroup: true)
    wire = ends.wire
    if process == nil { end() }
  }

  private func end() {
    (isOver, output, wire) = (true, [], nil)
    process?.send(SIGKILL)
  }

  /// Of several lines on one accelerator all count: they are summed up where they are taken.
  private func readLines() -> [AcceleratorText.Reading] {
    var lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    output = Array(lines.popLast() ?? [])
    if process?.poll() != nil { end() }
    return lines.flatMap { AcceleratorText.nvidia(line: String(decoding: $0, as: UTF8.self)) }
  }

  private func readDocument() -> [AcceleratorText.Reading] {
    guard let process, let code = process.poll(), wire?.isClosed == true else { return [] }
    let readings = AcceleratorText.rocm(String(decoding: output, as: UTF8.self))
    (self.process, wire, output) = (nil, nil, [])
    // One that fails has nothing to say later either.
    isOver = code != .exited(0) || readings.isEmpty
    return readings
  }
}
