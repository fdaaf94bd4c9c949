"""What a run says: its lines, for as long as there is somebody to write them."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from .requests import Request
from .transport import Line, Transport
from .values import plain


class Journal:
    """Lines and answers on their way to the transport, and warnings on theirs to the terminal."""

    def __init__(self) -> None:
        #: None where nothing is written: off, over, in a forked child, on a rank but 0.
        self.transport: Transport | None = None
        self.next_step = 0
        self._warned: set[str] = set()

    def tell(self, line: Line) -> None:
        if self.transport is not None:
            self.transport.tell(line)

    def event(self, kind: str, text: str, by: str, step: int | None = None, **members: Any) -> None:
        """Tells an event of the step that comes next, or of another."""
        line: Line = {"event": kind, "step": self.next_step if step is None else plain(step)}
        line["time"] = round(time.time(), 3)
        line.update(members)
        line.update(by=by, text=str(text))
        self.tell(line)

    def state(self, word: str, reason: str | None = None) -> None:
        line: Line = {"state": word, "time": round(time.time(), 3)}
        if reason:
            line["reason"] = reason
        self.tell(line)

    def answer(self, request: Request, line: Line) -> None:
        if self.transport is not None:
            self.transport.answer(request, line)

    def trouble(self, where: str, error: Exception) -> None:
        self.warn(f"{where}: {type(error).__name__}: {error}")

    def warn(self, text: str) -> None:
        """One line on standard error, each once, and not without end."""
        if text in self._warned or len(self._warned) > 100:
            return
        self._warned.add(text)
        with contextlib.suppress(Exception):
            sys.stderr.write(f"seismo: {text}\n")
