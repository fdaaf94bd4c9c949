import Testing

@testable import seismo

@Suite(.timeLimit(.minutes(15))) struct VectorLevelTests {
  static let old: Set<String> = ["sse2", "avx"]
  static let usual: Set<String> = ["sse2", "avx2", "fma"]
  static let wide = usual.union(["avx512f", "avx512vl", "avx512dq", "avx512bw"])

  @Test(arguments: [
    (VectorLevel.plain, old, true), (.avx2, old, false), (.avx2, usual, true),
    (.avx512, usual, false), (.avx512, wide, true), (.avx2, wide, true),
  ])
  func `a build runs where the processor has its vectors`(
    level: VectorLevel, processor: Set<String>, runs: Bool
  ) {
    #expect((level.refusal(wanted: nil, processor: processor) == nil) == runs)
  }

  @Test func `another level than the built one is refused with what makes it`() throws {
    let refusal = try #require(VectorLevel.avx2.refusal(wanted: "plain", processor: Self.usual))
    #expect(refusal.contains("SEISMO_VECTOR=plain swift build -c release"))
    #expect(VectorLevel.avx2.refusal(wanted: "avx2", processor: Self.usual) == nil)
    let wider = try #require(VectorLevel.avx512.refusal(wanted: "avx512", processor: Self.usual))
    #expect(
      wider == "SEISMO_VECTOR is avx512, which this processor lacks: name another, or none")
    let unknown = try #require(VectorLevel.avx2.refusal(wanted: "sse", processor: Self.usual))
    #expect(unknown == "SEISMO_VECTOR is 'sse': give avx512, avx2 or plain")
  }

  @Test func `unknown processors are believed`() {
    #expect(VectorLevel.avx512.refusal(wanted: nil, processor: nil) == nil)
  }

  @Test func `these tests run on what they were built for`() {
    let flags = VectorLevel.processorFlags
    #expect(VectorLevel.built.refusal(wanted: nil, processor: flags) == nil)
  }
}
