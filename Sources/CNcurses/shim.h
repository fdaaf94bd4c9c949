/* Wide-character curses: the macro has to stand before the header. */
#define NCURSES_WIDECHAR 1
#include <locale.h>
#include <ncurses.h>
#include <term.h>
