/// What a person's hands can do to the dashboard.
package enum InputEvent: Hashable, Sendable {
  case key(Key)
  case mouse(MouseEvent)
  case resized(Size)
  /// Text that came in one piece, without the keys it would have been.
  case pasted(String)
}

package enum Key: Hashable, Sendable {
  case character(Character)
  case control(Character)
  case enter, escape, tab, backtab, backspace, delete, insert
  case up, down, left, right
  case home, end, pageUp, pageDown
  case function(Int)
  case unknown
}

package struct MouseEvent: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case pressed, released, dragged, wheelUp, wheelDown
  }

  package enum Button: Hashable, Sendable {
    case left, middle, right, none
  }

  package var kind: Kind
  package var button: Button
  package var point: Point

  package init(kind: Kind, button: Button, point: Point) {
    self.kind = kind
    self.button = button
    self.point = point
  }
}
