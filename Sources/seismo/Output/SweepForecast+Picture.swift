import Dashboard
import Foundation
import Screen
import Sweeps
import Telemetry

extension SweepForecast {
  /// A fit is followed so many times beyond the largest size, where its interval is wide already.
  private static let farthest = 30.0
  private static let fitPoints = 60

  /// As screens show it; nil below two sizes.
  var shown: ShownForecast? {
    let known = entries.filter { $0.forecast.points.count > 1 }
    guard !known.isEmpty else { return nil }
    let limits = Set(known.map(\.limit))
    var titles: [String] = []
    for entry in known where !titles.contains(entry.mitigation) { titles.append(entry.mitigation) }
    return ShownForecast(
      metric: metric.path, limit: limits.count == 1 ? limits.first : nil,
      panels: titles.map { title in
        ShownForecast.Panel(
          title: title, curves: known.filter { $0.mitigation == title }.map(Self.curve))
      }, lines: lines)
  }

  private static func curve(_ entry: Entry) -> ShownForecast.Curve {
    let forecast = entry.forecast
    let sizes = forecast.points.map { Double($0.parameters) }
    let (first, last) = (sizes.first ?? 1, (sizes.last ?? 1) * farthest)
    let fit = (0...fitPoints).compactMap { step -> (parameters: Double, value: Double)? in
      let size = first * pow(last / first, Double(step) / Double(fitPoints))
      return forecast.value(at: size).map { (size, $0) }
    }
    return ShownForecast.Curve(
      rate: entry.rate,
      points: forecast.points.map { point in
        ShownForecast.Point(
          parameters: Double(point.parameters), value: point.mean,
          range: (point.values.min() ?? point.mean)...(point.values.max() ?? point.mean))
      }, fit: fit, limitParameters: forecast.limitParameters.flatMap { $0 <= last ? $0 : nil })
  }

  /// Curves and table in one picture.
  func writePicture(to path: String, name: String, size: Size, theme: String?) throws {
    guard let shown else {
      throw Failure(.badInput, "\(name): one size has no course over sizes: run two at least")
    }
    let look = try Look(theme: theme, depth: .rgb, symbols: .unicode)
    for warning in look.warnings { Seismo.report(warning) }
    try ScreenFile(path: path).write(
      view(shown, name: name, size: size, appearance: look.appearance), title: name,
      theme: look.appearance.theme)
  }
}
