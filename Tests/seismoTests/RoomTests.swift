import Foundation
import Testing

/// The rooms of the house: targets and imports as CONTRIBUTING lists them, from the top down.
@Suite(.timeLimit(.minutes(15)))
struct RoomTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A row of the table, and what the manifest lets it import.
  struct Room: Sendable, CustomStringConvertible {
    let folder: String
    /// Its place from the top.
    let place: Int
    let target: String
    let dependencies: [String]

    var description: String { folder }
  }

  static let rooms: [Room] = {
    let words = text("CONTRIBUTING.md").matches(of: /(?m)^\| `(\w+)` \|/).map { String($0.1) }
    let targets = manifest
    return words.enumerated().map { place, folder in
      let target = folder == "Library" ? "Seismo" : folder
      return Room(
        folder: folder, place: place, target: target, dependencies: targets[target] ?? [])
    }
  }()

  private static func text(_ name: String) -> String {
    (try? String(contentsOf: root.appending(path: name), encoding: .utf8)) ?? ""
  }

  /// The targets with those of them that each depends on.
  private static let manifest: [String: [String]] = {
    let target =
      /\.(?:target|executableTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    return text("Package.swift").matches(of: target).reduce(into: [:]) { found, match in
      let own = (match.2 ?? "").replacing(/\.product\([^)]*\)/, with: "")
      found[String(match.1)] = own.matches(of: /"(\w+)"/).map { String($0.1) }
    }
  }()

  @Test func `every folder of sources is a room, and every room a target`() throws {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appending(path: "Sources").path)
    #expect(Set(folders.filter { !$0.hasPrefix("C") }) == Set(Self.rooms.map(\.folder)))
    #expect(Self.rooms.allSatisfy { Self.manifest[$0.target] != nil })
    #expect(Self.rooms.count > 10)
  }

  @Test(arguments: rooms)
  func `a room imports what lies below it, and no more than it declares`(room: Room) throws {
    let places = Dictionary(uniqueKeysWithValues: Self.rooms.map { ($0.target, $0.place) })
    for dependency in room.dependencies {
      guard let place = places[dependency] else { continue }
      #expect(place > room.place, "\(room) depends on \(dependency)")
    }
    let folder = Self.root.appending(path: "Sources/\(room.folder)")
    let files = try #require(FileManager.default.enumerator(atPath: folder.path))
    var imported: Set<String> = []
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      let found = text.matches(of: /(?m)^[@\w ]*\bimport (\w+)$/).map { String($0.1) }
      imported.formUnion(found.filter { places[$0] != nil })
    }
    #expect(imported.subtracting(room.dependencies) == [], "\(room)")
    #expect(
      Set(room.dependencies).intersection(places.keys).subtracting(imported) == [],
      "\(room) declares more than it imports")
  }
}
