import Formats
import Foundation
import Testing

/// The tables of `studies/findings` are whole, and say what their pages say they do.
@Suite(.timeLimit(.minutes(15)))
struct FindingTests {
  @Test func `there are findings`() {
    #expect(!FindingTable.names.isEmpty)
  }

  @Test(arguments: FindingTable.names)
  func `a table tells how it came about, and its page shows it`(name: String) throws {
    let table = try FindingTable(name)
    #expect(table.whole["finding"]?.text == name)
    #expect(table.whole["command"]?.text == "studies/run \(name)")
    #expect(table.whole["commit"]?.text?.isEmpty == false)
    #expect(table.whole["text"]?["sha256"]?.text?.count == 64)
    guard case .list(let seeds)? = table.whole["seeds"] else {
      Issue.record("\(name): no seeds")
      return
    }
    #expect(seeds.count >= 3)
    for cell in table.cells {
      #expect(["finished", "diverged"].contains(cell["state"]?.text))
      #expect(cell["session"]?.text?.hasPrefix("\(name)/") == true)
    }
    let page = try String(
      contentsOf: FindingTable.folder.appending(path: "\(name).md"), encoding: .utf8)
    #expect(page.contains("studies/run \(name)"))
    for group in table.sensitivity {
      let best = try #require(group["best_loss"]?.number)
      #expect(page.contains(String(format: "%.3f", best)), "\(name): \(best)")
    }
    let picture = try String(
      contentsOf: FindingTable.folder.appending(path: "\(name).svg"), encoding: .utf8)
    #expect(picture.contains("</svg>"))
  }

  @Test(.enabled(if: FindingTable.names.contains("sizes")))
  func `logits and what qk-layernorm saves of the sensitivity grow with the size`() throws {
    let table = try FindingTable("sizes")
    let widths = ["16", "32", "48", "64"]
    let plain = try widths.map { try table.sensitivity(["width": $0, "qk-layernorm": "off"]) }
    let normed = try widths.map { try table.sensitivity(["width": $0, "qk-layernorm": "on"]) }
    for (one, other) in zip(plain, normed) { #expect(one > other) }
    #expect(plain[3] - normed[3] > plain[0] - normed[0])
    func logits(_ width: String, _ rate: String, _ isOn: String) throws -> Double {
      let options = ["width": width, "lr": rate, "qk-layernorm": isOn]
      return try table.mean(options) { $0["attention_logit_max"]?.number.map { log($0) } }
    }
    for rate in ["0.03", "0.1", "0.3"] {
      #expect(try logits("64", rate, "off") > logits("32", rate, "off"))
      #expect(try logits("64", rate, "on") < log(200))
    }
  }

  @Test(.enabled(if: FindingTable.names.contains("warmup")))
  func `a longer warm-up lowers the sensitivity`() throws {
    let table = try FindingTable("warmup")
    let values = try ["2", "20", "100"].map { try table.sensitivity(["warmup": $0]) }
    #expect(values[2] < values[0])
  }

  @Test(.enabled(if: FindingTable.names.contains("noise")))
  func `a little clean text beside much noisy helps, and so does the corrected loss`() throws {
    let table = try FindingTable("noise")
    let eighth = try table.loss(["batch": "2"])
    let all = try table.loss(["batch": "16", "corrupt": nil])
    #expect(all < eighth)
    for share in ["0.3", "0.6", "0.9"] {
      func loss(_ clean: String, _ kind: String) throws -> Double {
        try table.loss(["corrupt": share, "clean": clean, "noise-loss": kind])
      }
      #expect(try loss("0.0", "corrected") < loss("0.0", "plain"))
      #expect(try loss("0.125", "corrected") < loss("0.125", "plain"))
      #expect(try loss("0.125", "corrected") < loss("0.0", "corrected"))
      #expect(try loss("0.125", "plain") > eighth)
      let gain = try eighth - loss("0.125", "corrected")
      #expect(share == "0.9" ? abs(gain) < 0.05 : gain > 0.02)
    }
  }
}
