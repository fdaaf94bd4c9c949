/// Decodes bytes whose kind shows itself as they come: what a program prints, or a file that is not
/// there yet.
package struct StreamDecoder: LogDecoder {
  private let path: String
  private var start: [UInt8] = []
  private var decoder: (any LogDecoder)?

  /// - Parameter path: what errors name.
  package init(path: String) {
    self.path = path
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    guard decoder == nil else {
      decoder?.decode(bytes, into: &batch)
      return
    }
    start += bytes
    let isEnough = start.count >= LogFormat.lookedAt
    guard let format = LogFormat.of(start, isWhole: false) ?? (isEnough ? .textLog : nil) else {
      return
    }
    begin(format, into: &batch)
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    if decoder == nil {
      guard !start.isEmpty else { return }
      begin(LogFormat.of(start, isWhole: true) ?? .textLog, into: &batch)
    }
    try decoder?.finish(into: &batch)
  }

  private mutating func begin(_ format: LoggedRun.Format, into batch: inout RunBatch) {
    decoder = LoggedRun(format: format, paths: [path], name: "").decoder(of: path)
    decoder?.decode(start, into: &batch)
    start = []
  }
}
