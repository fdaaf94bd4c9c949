import CNcurses
import Screen

extension Key {
  /// A character as the terminal sent it.
  init(scalar: UInt32) {
    switch scalar {
    case 0x09: self = .tab
    case 0x0A, 0x0D: self = .enter
    case 0x08, 0x7F: self = .backspace
    case 0x1B: self = .escape
    case 0x00: self = .control("@")
    case 0x01...0x1A: self = .control(Key.character(scalar + 0x60))
    case 0x1C...0x1F: self = .control(Key.character(scalar + 0x40))
    case 0x80...0x9F: self = .unknown
    default:
      guard let valid = Unicode.Scalar(scalar) else {
        self = .unknown
        return
      }
      self = .character(Character(valid))
    }
  }

  /// A key that the terminal's description names.
  init(cursesCode code: Int32) {
    switch code {
    case KEY_UP: self = .up
    case KEY_DOWN: self = .down
    case KEY_LEFT: self = .left
    case KEY_RIGHT: self = .right
    case KEY_HOME, KEY_FIND: self = .home
    case KEY_END, KEY_SELECT: self = .end
    case KEY_PPAGE: self = .pageUp
    case KEY_NPAGE: self = .pageDown
    case KEY_BACKSPACE: self = .backspace
    case KEY_DC: self = .delete
    case KEY_IC: self = .insert
    case KEY_BTAB: self = .backtab
    case KEY_ENTER: self = .enter
    case (KEY_F0 + 1)...(KEY_F0 + 63): self = .function(Int(code - KEY_F0))
    default: self = .unknown
    }
  }

  /// A sequence that the description lacks, as most terminals send it: `ESC [` or `ESC O`, then
  /// this. With modifiers (`1;5C`) it is another key, which nobody here knows.
  init(introducer: UInt32, sequence: [UInt32]) {
    let text = String(String.UnicodeScalarView(sequence.compactMap(Unicode.Scalar.init)))
    switch text {
    case "A": self = .up
    case "B": self = .down
    case "C": self = .right
    case "D": self = .left
    case "H", "1~", "7~": self = .home
    case "F", "4~", "8~": self = .end
    case "2~": self = .insert
    case "3~": self = .delete
    case "5~": self = .pageUp
    case "6~": self = .pageDown
    case "Z": self = .backtab
    case "M" where introducer == 0x4F: self = .enter
    default: self = .unknown
    }
  }

  private static func character(_ value: UInt32) -> Character {
    Character(Unicode.Scalar(value) ?? " ")
  }
}

/// curses' mouse states as events; it remembers which button is held.
struct MouseDecoder {
  private var held = MouseEvent.Button.none

  mutating func decode(_ event: MEVENT) -> MouseEvent? {
    let point = Point(column: Int(event.x), row: Int(event.y))
    let button: MouseEvent.Button =
      switch curses_mouse_button(event.bstate) {
      case 1: .left
      case 2: .middle
      case 3: .right
      default: .none
      }
    switch curses_mouse_kind(event.bstate) {
    case curses_mouse_pressed:
      held = button
      return MouseEvent(kind: .pressed, button: button, point: point)
    case curses_mouse_released:
      held = .none
      return MouseEvent(kind: .released, button: button, point: point)
    case curses_mouse_moved:
      guard held != .none else { return nil }
      return MouseEvent(kind: .dragged, button: held, point: point)
    case curses_mouse_wheel_up: return MouseEvent(kind: .wheelUp, button: .none, point: point)
    case curses_mouse_wheel_down: return MouseEvent(kind: .wheelDown, button: .none, point: point)
    default: return nil
    }
  }
}
