/// One position of one of the texts that are being continued.
package struct TextRow: Sendable, BitwiseCopyable {
  /// Where the text's keys and values are kept.
  package var slot: Int32
  /// Its place in the text, from 0.
  package var position: Int32
  package var token: Token
  /// The token before it; of no account for the first one of a text.
  package var before: UInt16

  package init(slot: Int, position: Int, token: Token, before: UInt16) {
    self.slot = Int32(slot)
    self.position = Int32(position)
    self.token = token
    self.before = before
  }
}

/// What the rows of a pass over growing texts are: of one text, its positions follow each other.
package struct TextRows: Sendable {
  private let rows: Buffer<TextRow>
  package private(set) var count: Int

  /// Room for so many.
  package init(room: Int) {
    rows = Buffer(repeating: TextRow(slot: 0, position: 0, token: 0, before: 256), count: room)
    count = room
  }

  /// The first rows of the same memory.
  package func prefix(_ count: Int) -> TextRows {
    assert(count <= rows.count)
    var result = self
    result.count = count
    return result
  }

  package subscript(row: Int) -> TextRow {
    get { rows[row] }
    nonmutating set { rows[row] = newValue }
  }
}
