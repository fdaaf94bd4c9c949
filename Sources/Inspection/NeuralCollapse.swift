import Formats
import Foundation
import Kernels
import Models

/// How far features have collapsed onto the means of their classes: the next byte's.
///
/// Over the classes with enough samples; μ_c their means, μ_G the mean of those, M_c = μ_c − μ_G,
/// S_W the mean of (f − μ_c)(f − μ_c)ᵀ over samples, S_B that of M_c·M_cᵀ over classes. Byte classes
/// are unbalanced and a frame of C directions needs a width of C − 1, so that a language model goes
/// this way and never arrives.
/// - Source: Papyan et al. 2020, NC1 to NC4 as in their code; the trace ratio of Tirer et al. 2023;
///   Galanti et al. 2022 for CDNV.
package struct NeuralCollapse: Sendable {
  /// C, the classes that had enough samples.
  package let classes: Int
  package let samples: Int
  /// NC1: Tr(S_W·pinv(S_B))/C.
  package let withinBetween: Double
  /// Its cheap form, Tr S_W / Tr S_B.
  package let traceRatio: Double
  /// Mean over pairs of (var_c + var_c')/(2|μ_c − μ_c'|²).
  package let distanceVariance: Double
  /// NC2: the deviation of |M_c| over their mean.
  package let normSpread: Double
  /// NC2: mean of |cos(M_c, M_c') + 1/(C − 1)|.
  package let angleSpread: Double
  /// NC2 as one number: ‖G/‖G‖ − (I − 11ᵀ/C)/√(C − 1)‖ with G = M·Mᵀ.
  package let frameDistance: Double
  /// NC3: ‖W/‖W‖ − M/‖M‖‖ with the head's rows; nil below the last layer.
  package let selfDuality: Double?
  /// NC4: the share of samples that head and nearest mean give the same class; nil below the last
  /// layer.
  package let nearestMean: Double?

  /// Samples that a class must have.
  package static let leastSamples = 50
  /// Eigenvalues of S_B below it, over the largest, are rounding.
  private static let tolerance = 1e-6

  /// - Shapes: `features` [N, D] row-major; `labels` [N]; `head` [V, D], nil below the last layer
  /// - Returns: nil for fewer than two classes with `least` samples
  package init?(
    features: [Float], labels: [Int], width: Int, head: [Float]? = nil,
    least: Int = leastSamples
  ) {
    let means = ClassMeans(features, labels, width: width, least: least)
    guard means.classes.count > 1 else { return nil }
    let count = Double(means.classes.count)
    classes = means.classes.count
    samples = means.members.count
    let within = means.within(features, width: width)
    var between = SymmetricMatrix(size: width)
    for mean in means.centred { between.add(mean, weight: 1 / count) }
    withinBetween = Self.quotient(within.scatter, between) / count
    traceRatio = within.scatter.trace / between.trace
    distanceVariance = Self.distanceVariance(means, within.variances)
    let norms = means.centred.map { dot($0, $0).squareRoot() }
    let mean = norms.reduce(0, +) / count
    normSpread =
      (norms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot() / mean
    (angleSpread, frameDistance) = Self.frame(means.centred, norms)
    guard let head else {
      (selfDuality, nearestMean) = (nil, nil)
      return
    }
    let rows = means.classes.map { label in
      head[label * width..<(label + 1) * width].map(Double.init)
    }
    selfDuality = Self.duality(rows, means.centred)
    nearestMean = means.agreement(features, width: width, head: rows)
  }

  /// Tr(A·pinv(B)) = Σ vᵀAv/λ over B's eigenvectors of eigenvalues that are not 0.
  private static func quotient(_ a: SymmetricMatrix, _ b: SymmetricMatrix) -> Double {
    let (values, vectors) = b.eigen(vectors: true)
    let floor = (values.last ?? 0) * tolerance
    var sum = 0.0
    for (value, vector) in zip(values, vectors) where value > floor {
      var product = 0.0
      for row in 0..<a.size {
        let part = (0..<a.size).reduce(0.0) { $0 + a[row, $1] * vector[$1] }
        product += vector[row] * part
      }
      sum += product / value
    }
    return sum
  }

  private static func distanceVariance(_ means: ClassMeans, _ variances: [Double]) -> Double {
    var (sum, pairs) = (0.0, 0.0)
    for one in means.centred.indices {
      for other in 0..<one {
        let squares = zip(means.centred[one], means.centred[other])
          .reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        sum += (variances[one] + variances[other]) / (2 * squares)
        pairs += 1
      }
    }
    return sum / pairs
  }

  private static func frame(_ centred: [[Double]], _ norms: [Double]) -> (Double, Double) {
    let count = centred.count
    var gram = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    var (squares, angles) = (0.0, 0.0)
    for one in 0..<count {
      for other in 0..<count {
        let product = dot(centred[one], centred[other])
        gram[one][other] = product
        squares += product * product
        if one != other {
          angles += abs(product / (norms[one] * norms[other]) + 1 / Double(count - 1))
        }
      }
    }
    let (norm, unit) = (squares.squareRoot(), 1 / Double(count - 1).squareRoot())
    var distance = 0.0
    for one in 0..<count {
      for other in 0..<count {
        let ideal = ((one == other ? 1 : 0) - 1 / Double(count)) * unit
        let error = gram[one][other] / norm - ideal
        distance += error * error
      }
    }
    return (angles / Double(count * (count - 1)), distance.squareRoot())
  }

  private static func duality(_ head: [[Double]], _ means: [[Double]]) -> Double {
    let (one, other) = (frobenius(head), frobenius(means))
    var sum = 0.0
    for (row, mean) in zip(head, means) {
      for (a, b) in zip(row, mean) { sum += (a / one - b / other) * (a / one - b / other) }
    }
    return sum.squareRoot()
  }

  private static func frobenius(_ rows: [[Double]]) -> Double {
    rows.reduce(0) { $0 + dot($1, $1) }.squareRoot()
  }
}

extension NeuralCollapse {
  /// Of each layer's `features`, the first those of the embeddings, over the first windows.
  package static func all(
    _ trial: ModelTrial, _ features: [[Float]], windows: Int
  ) -> [NeuralCollapse?] {
    let labels = trial.targets(windows: windows)
    let width = trial.configuration.width
    let head = trial.layout.unembedding.map { tensor in
      (0..<tensor.count).map { trial.parameters[tensor.offset + $0] }
    }
    return features.enumerated().map { layer, values in
      NeuralCollapse(
        features: values, labels: labels, width: width,
        head: layer == trial.configuration.layers ? head : nil)
    }
  }

  package var json: String {
    var members = [
      ("classes", "\(classes)"), ("samples", "\(samples)"),
      ("nc1", JSONLines.number(withinBetween)), ("trace_ratio", JSONLines.number(traceRatio)),
      ("cdnv", JSONLines.number(distanceVariance)),
      ("nc2_norms", JSONLines.number(normSpread)), ("nc2_angles", JSONLines.number(angleSpread)),
      ("nc2_frame", JSONLines.number(frameDistance)),
    ]
    if let selfDuality { members.append(("nc3", JSONLines.number(selfDuality))) }
    if let nearestMean { members.append(("nc4", JSONLines.number(nearestMean))) }
    return JSONLines.object(members)
  }
}
