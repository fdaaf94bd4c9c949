import Foundation
import GRDB

extension Row {
  // GRDB traps where a column holds another type than asked for; a damaged file may.

  func integer(_ index: Int) -> Int? {
    let value: DatabaseValue = self[index]
    guard case .int64(let number) = value.storage else { return nil }
    return Int(number)
  }

  func text(_ index: Int) -> String? {
    let value: DatabaseValue = self[index]
    guard case .string(let text) = value.storage else { return nil }
    return text
  }

  func bytes(_ index: Int) -> [UInt8]? {
    let value: DatabaseValue = self[index]
    guard case .blob(let data) = value.storage else { return nil }
    return Array(data)
  }
}
