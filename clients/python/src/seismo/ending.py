"""How a process ends: at its exit, by an exception, by SIGTERM; the run's end is always written."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Callable, Optional

#: ``end(state, reason)``.
End = Callable[[str, Optional[str]], None]


class Endings:
    """Calls ``end`` however the process ends, and leaves what stood there before as it was."""

    def __init__(self, end: End, at_exit: Callable[[], None]) -> None:
        self._end = end
        self._at_exit = at_exit
        self._hook_before: Any = None
        self._handler_before: Any = None
        self._has_handler = False

    def install(self) -> None:
        atexit.register(self._at_exit)
        self._hook_before = sys.excepthook
        sys.excepthook = self._excepthook
        if threading.current_thread() is not threading.main_thread():
            return
        with contextlib.suppress(ValueError, OSError):
            self._handler_before = signal.getsignal(signal.SIGTERM)
            if self._handler_before is not signal.SIG_IGN:
                signal.signal(signal.SIGTERM, self._terminate)
                self._has_handler = True

    def remove(self) -> None:
        atexit.unregister(self._at_exit)
        if sys.excepthook == self._excepthook:
            sys.excepthook = self._hook_before
        with contextlib.suppress(ValueError, OSError):
            if self._has_handler and signal.getsignal(signal.SIGTERM) == self._terminate:
                signal.signal(signal.SIGTERM, self._handler_before or signal.SIG_DFL)
        self._has_handler = False

    def _excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        before = self._hook_before
        self._end(*ending_of(kind, error))
        before(kind, error, trace)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        before = self._handler_before
        if callable(before):
            # The program has its own way to end; what it does of it, the exit will show.
            before(number, frame)
            return
        self._end("stopped", "SIGTERM")
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def ending_of(kind: type[BaseException], error: BaseException) -> tuple[str, str | None]:
    """The state and reason of a run that an exception ended."""
    if issubclass(kind, KeyboardInterrupt):
        return "stopped", "SIGINT"
    if issubclass(kind, SystemExit):
        code = getattr(error, "code", None)
        return ("finished", None) if not code else ("failed", f"exit {code}")
    text = str(error).splitlines()
    return "failed", kind.__name__ + (f": {text[0][:500]}" if text else "")
