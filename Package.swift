// swift-tools-version: 6.2
import Foundation
import PackageDescription

let language: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// What the tests call a million times is optimised in debug builds too, so that `swift test` is
/// quick.
let settings: [SwiftSetting] = language + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// The vectors that the engine is built for, and what a processor must have for them. The lanes are
/// the same numbers in the same order whatever the width, so that the bits are too.
let vectorSets: [(level: String, sets: [String])] = [
  ("avx512", ["avx2", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bw"]),
  ("avx2", ["avx2", "fma"]),
  ("plain", []),
]

/// The widest that the building machine can run, unless SEISMO_VECTOR names another.
let vectorLevel: String = {
  if let named = Context.environment["SEISMO_VECTOR"] {
    precondition(
      vectorSets.contains { $0.level == named },
      "SEISMO_VECTOR is \(named): give avx512, avx2 or plain")
    return named
  }
  let facts = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let has = Set(facts.split(whereSeparator: \.isWhitespace).map(String.init))
  return vectorSets.first { has.isSuperset(of: $0.sets) }?.level ?? "plain"
}()

let vectorFlags = vectorSets.first { $0.level == vectorLevel }?.sets.flatMap { ["-Xcc", "-m\($0)"] }

let engineSettings: [SwiftSetting] =
  settings + [.unsafeFlags(vectorFlags ?? [])]

/// What `--version` tells; macros of one C file, so that another commit compiles no more than that.
let facts: [CSetting] = {
  let vector = CSetting.define("SEISMO_VECTOR", to: "\"\(vectorLevel)\"")
  guard let git = Context.gitInformation else { return [vector] }
  let mark = git.currentCommit.prefix(9) + (git.hasUncommittedChanges ? "+" : "")
  return [vector, .define("SEISMO_COMMIT", to: "\"\(mark)\"")]
}()

/// Builds the library's documentation. No target depends on it, so that it is there only for those
/// who ask for it.
let documentation: [Package.Dependency] =
  Context.environment["SEISMO_DOCUMENTATION"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0")]

let package = Package(
  name: "seismo",
  products: [
    .executable(name: "seismo", targets: ["seismo"]),
    .library(name: "Seismo", targets: ["Seismo"]),
    .library(name: "Training", targets: ["Training"]),
  ],
  traits: [
    .trait(
      name: "MPI",
      description: "One run over many processes; needs libopenmpi-dev or libmpich-dev.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
  ] + documentation,
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CNcurses", providers: [.apt(["libncurses-dev"])]),
    .systemLibrary(name: "CMPI", pkgConfig: "mpi", providers: [.apt(["libopenmpi-dev"])]),

    .target(name: "CBuild", cSettings: facts),
    .target(name: "CDescriptors"),
    .target(name: "Telemetry", swiftSettings: settings),
    .target(name: "Screen", swiftSettings: settings),
    .target(name: "Signals", dependencies: ["Telemetry"], swiftSettings: settings),
    .target(name: "Kernels", dependencies: ["COpenBLAS"], swiftSettings: engineSettings),
    .target(
      name: "Ranks",
      dependencies: ["Kernels", .target(name: "CMPI", condition: .when(traits: ["MPI"]))],
      swiftSettings: settings),
    .target(name: "Models", dependencies: ["Kernels", "Ranks"], swiftSettings: engineSettings),
    .target(
      name: "Training", dependencies: ["Kernels", "Models", "Ranks", "Signals", "Telemetry"],
      swiftSettings: engineSettings),
    .target(name: "Formats", dependencies: ["Signals", "Telemetry"], swiftSettings: settings),
    .target(
      name: "Sessions",
      dependencies: [
        "CDescriptors", "Formats", "Signals", "Telemetry",
        .product(name: "GRDB", package: "GRDB.swift"),
      ], swiftSettings: settings),
    .target(
      name: "Sweeps",
      dependencies: ["Formats", "Kernels", "Models", "Signals", "Telemetry", "Training"],
      swiftSettings: settings),
    .target(
      name: "Inspection",
      dependencies: ["Formats", "Kernels", "Models", "Ranks", "Telemetry", "Training"],
      swiftSettings: settings),
    .target(
      name: "Dashboard", dependencies: ["Screen", "Signals", "Telemetry"],
      swiftSettings: settings),
    .target(
      name: "Terminal", dependencies: ["Screen", "Telemetry", "CNcurses"], swiftSettings: settings),
    .target(
      name: "Runs",
      dependencies: [
        "Formats", "Inspection", "Models", "Ranks", "Sessions", "Signals", "Sweeps", "Telemetry",
        "Training", .product(name: "TOMLKit", package: "TOMLKit"),
      ], swiftSettings: settings),
    .target(
      name: "Seismo", dependencies: ["Runs", "Telemetry", "Training"], path: "Sources/Library",
      swiftSettings: language),
    .executableTarget(
      name: "TrainAndSteer", dependencies: ["Seismo"], path: "Examples/TrainAndSteer",
      swiftSettings: language),
    .executableTarget(
      name: "seismo",
      dependencies: [
        "CBuild", "Dashboard", "Formats", "Inspection", "Kernels", "Models", "Ranks", "Runs",
        "Screen", "Sessions", "Signals", "Sweeps", "Telemetry", "Terminal", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "TOMLKit", package: "TOMLKit"),
      ], swiftSettings: language),

    .target(
      name: "TestSupport", dependencies: ["Ranks", "Screen"], path: "Tests/TestSupport",
      swiftSettings: language),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: language),
    .testTarget(
      name: "ScreenTests", dependencies: ["Screen", "TestSupport"], exclude: ["Screens"],
      swiftSettings: language),
    .testTarget(
      name: "SignalsTests", dependencies: ["Signals", "Telemetry"], swiftSettings: language),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels"], swiftSettings: language),
    .testTarget(
      name: "RanksTests", dependencies: ["Kernels", "Ranks", "TestSupport"],
      swiftSettings: language),
    .testTarget(
      name: "ModelsTests", dependencies: ["Kernels", "Models"], exclude: ["Recorded"],
      swiftSettings: language),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Kernels", "Models", "Ranks", "Sessions", "Signals", "Telemetry", "TestSupport", "Training",
      ],
      exclude: ["Recorded"], swiftSettings: language),
    .testTarget(
      name: "SweepsTests", dependencies: ["Models", "Signals", "Sweeps", "Telemetry", "Training"],
      swiftSettings: language),
    .testTarget(
      name: "InspectionTests",
      dependencies: ["Inspection", "Kernels", "Models", "Telemetry", "TestSupport", "Training"],
      exclude: ["Recorded"], swiftSettings: language),
    .testTarget(
      name: "SessionsTests",
      dependencies: [
        "Formats", "Sessions", "Signals", "Telemetry", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      exclude: ["Cases", "Recorded"], swiftSettings: language),
    .testTarget(
      name: "DashboardTests",
      dependencies: ["Dashboard", "Screen", "Signals", "Telemetry", "TestSupport"],
      exclude: ["Screens"], swiftSettings: language),
    .testTarget(
      name: "TerminalTests", dependencies: ["Screen", "Telemetry", "Terminal"],
      swiftSettings: language),
    .testTarget(
      name: "RunsTests",
      dependencies: [
        "Formats", "Kernels", "Models", "Runs", "Seismo", "Sessions", "Signals", "Sweeps",
        "Telemetry", "TestSupport", "Training",
      ],
      swiftSettings: language),
    .testTarget(
      name: "seismoTests",
      dependencies: [
        "Dashboard", "Formats", "Ranks", "Runs", "seismo", "Sessions", "Signals", "Telemetry",
        "TestSupport", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: language),
  ],
  swiftLanguageModes: [.v6]
)
