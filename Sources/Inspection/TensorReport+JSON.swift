import Formats
import Kernels

extension TensorReport {
  /// The report as one JSON object; NaN and infinities stand bare.
  package var json: String {
    var members = [
      ("name", JSONLines.quoted(name)),
      ("shape", "[\(shape.map(String.init).joined(separator: ","))]"),
      ("type", JSONLines.quoted(type)), ("rms", JSONLines.number(rms)),
      ("absmax", JSONLines.number(absmax)), ("kurtosis", JSONLines.number(kurtosis)),
    ]
    if nonFinite > 0 { members.append(("non_finite", "\(nonFinite)")) }
    members.append(("formats", "[\(formats.map(\.json).joined(separator: ","))]"))
    guard isMatrix else { return JSONLines.object(members) }
    let bears = [8, 4].map { ("\($0)", choice(bits: $0)?.json ?? "null") }
    return JSONLines.object(members + [("bears", JSONLines.object(bears))])
  }
}

extension FormatCost {
  /// `{"format","scale","sqnr_db","flushed"}`.
  package var json: String {
    JSONLines.object([
      ("format", JSONLines.quoted(format.rawValue)), ("scale", JSONLines.quoted(scale.rawValue)),
      ("sqnr_db", JSONLines.number(decibels)), ("flushed", JSONLines.number(flushed)),
    ])
  }
}

extension ScaleChoice {
  var json: String {
    JSONLines.object([
      ("format", JSONLines.quoted(format.rawValue)), ("scale", JSONLines.quoted(scale.rawValue)),
      ("sqnr_db", JSONLines.number(decibels)),
    ])
  }
}
