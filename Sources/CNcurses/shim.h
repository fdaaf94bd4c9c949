/* Wide-character curses: the macro has to stand before the header. */
#define NCURSES_WIDECHAR 1
#include <locale.h>
#include <ncurses.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <wchar.h>

/* What Swift can't import: globals it may not touch, macros that are not plain numbers, variadics. */

static inline WINDOW *curses_window(void) { return stdscr; }
static inline WINDOW *curses_shown_window(void) { return curscr; }
static inline int curses_color_pairs(void) { return COLOR_PAIRS; }
static inline int curses_colors(void) { return COLORS; }
static inline TERMINAL *curses_terminal(void) { return cur_term; }

enum {
  curses_bold = A_BOLD,
  curses_dim = A_DIM,
  curses_underline = A_UNDERLINE,
  curses_reverse = A_REVERSE,
};
static inline attr_t curses_italic(void) { return A_ITALIC; }

/* No clicks: with them in the mask, curses would keep presses back to put clicks together. */
static inline mmask_t curses_mouse_events(void) {
  return BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON2_PRESSED | BUTTON2_RELEASED |
         BUTTON3_PRESSED | BUTTON3_RELEASED | BUTTON4_PRESSED | BUTTON5_PRESSED |
         REPORT_MOUSE_POSITION;
}

enum curses_mouse_kind {
  curses_mouse_none,
  curses_mouse_pressed,
  curses_mouse_released,
  curses_mouse_moved,
  curses_mouse_wheel_up,
  curses_mouse_wheel_down,
};

static inline enum curses_mouse_kind curses_mouse_kind(mmask_t state) {
  const mmask_t pressed = BUTTON1_PRESSED | BUTTON2_PRESSED | BUTTON3_PRESSED;
  const mmask_t released = BUTTON1_RELEASED | BUTTON2_RELEASED | BUTTON3_RELEASED;
  if (state & BUTTON4_PRESSED) return curses_mouse_wheel_up;
  if (state & BUTTON5_PRESSED) return curses_mouse_wheel_down;
  if (state & pressed) return curses_mouse_pressed;
  if (state & released) return curses_mouse_released;
  if (state & REPORT_MOUSE_POSITION) return curses_mouse_moved;
  return curses_mouse_none;
}

/* 1 left, 2 middle, 3 right, 0 none. */
static inline int curses_mouse_button(mmask_t state) {
  if (state & (BUTTON1_PRESSED | BUTTON1_RELEASED)) return 1;
  if (state & (BUTTON2_PRESSED | BUTTON2_RELEASED)) return 2;
  if (state & (BUTTON3_PRESSED | BUTTON3_RELEASED)) return 3;
  return 0;
}

/* A cell of one character; a pair beyond the 16 bits of the old argument goes by pointer. */
static inline cchar_t curses_cell(wchar_t scalar, attr_t attributes, int pair) {
  cchar_t cell;
  wchar_t text[2] = {scalar, 0};
  setcchar(&cell, text, attributes, (short)(pair > 0x7FFF ? 0x7FFF : pair), &pair);
  return cell;
}

/* Declared by <wchar.h> only for those who ask for X/Open. */
extern int wcwidth(wchar_t);
static inline int curses_columns(wchar_t scalar) { return wcwidth(scalar); }

static inline int curses_window_size(int descriptor, int *height, int *width) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return -1;
  *height = size.ws_row;
  *width = size.ws_col;
  return 0;
}
