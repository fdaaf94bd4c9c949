import Foundation

/// Makes a folder that is there once it is whole: `fill` is given where to write.
///
/// What it writes lies to the side until it is on the disk; should it fail, nothing is left.
/// - Throws: `CheckpointError.unwritable`, and what `fill` throws.
package func makeWholeFolder(at path: String, _ fill: (_ side: String) throws -> Void) throws {
  let place = URL(fileURLWithPath: path).standardizedFileURL
  let parent = place.deletingLastPathComponent().path
  try createFolder(parent)
  let side = try SideFolder(parent: parent, name: place.lastPathComponent)
  do {
    try fill(side.path)
    try syncFolder(side.path)
    try side.rename()
  } catch {
    side.remove()
    throw error
  }
  try syncFolder(parent)
}
