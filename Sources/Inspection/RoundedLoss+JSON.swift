import Formats
import Kernels

extension RoundedLoss {
  /// The losses as one JSON object, with the temperatures' in it.
  package func json(_ temperatures: TemperatureCurve) -> String {
    let entries = entries.map { entry in
      JSONLines.object([
        ("format", JSONLines.quoted(entry.format.rawValue)),
        ("scale", JSONLines.quoted(entry.scale.rawValue)),
        ("loss", JSONLines.number(entry.loss)), ("rise", JSONLines.number(entry.loss - loss)),
      ])
    }
    let alone = sensitivities.map { entry in
      JSONLines.object([
        ("name", JSONLines.quoted(entry.tensor)),
        ("format", JSONLines.quoted(entry.format.rawValue)),
        ("scale", JSONLines.quoted(entry.scale.rawValue)),
        ("rise", JSONLines.number(entry.rise)),
      ])
    }
    return JSONLines.object([
      ("loss", JSONLines.number(loss)), ("tokens", "\(tokens)"),
      ("formats", "[\(entries.joined(separator: ","))]"),
      ("tensors", "[\(alone.joined(separator: ","))]"), ("temperature", temperatures.json),
    ])
  }
}

extension TemperatureCurve {
  fileprivate var json: String {
    let points = points.map { point in
      let formats = Self.formats.indices.map { index in
        JSONLines.object([
          ("format", JSONLines.quoted(Self.formats[index].rawValue)),
          ("scale", JSONLines.quoted(ScaleGroup.block64.rawValue)),
          ("loss", JSONLines.number(point.rounded[index])),
          ("divergence", JSONLines.number(point.divergence[index])),
        ])
      }
      return JSONLines.object([
        ("temperature", JSONLines.number(point.temperature)),
        ("loss", JSONLines.number(point.loss)), ("formats", "[\(formats.joined(separator: ","))]"),
      ])
    }
    return "[\(points.joined(separator: ","))]"
  }
}
