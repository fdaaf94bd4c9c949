"""A ``seismo ingest`` child that makes a session of the run as it goes."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import shutil
import subprocess
import time
from typing import Callable

from .requests import Flaw, Request, read_request

_LONGEST_LINE = 8192


class Recorder:
    """Writes the run's lines to the child and reads commands from it; never waits for it."""

    #: Bytes that wait for the child; beyond them lines are dropped and counted.
    LIMIT = 16 << 20

    def __init__(self, program: str, session: str, take: Callable[[Request], None]) -> None:
        """Starts the child; it outlives a ctrl-c of the loop, and ends with its input.

        Raises:
            OSError: if it cannot be started.
        """
        self.session = session
        self._take = take
        self._waiting = bytearray()
        self._input = bytearray()
        self._selector: selectors.BaseSelector | None = None
        self._child = subprocess.Popen(
            [program, "ingest", "--session", session],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._child.stdin is not None and self._child.stdout is not None
        self._to, self._from = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @classmethod
    def found(cls, session: str, take: Callable[[Request], None]) -> Recorder:
        """The child of the ``seismo`` on the PATH.

        Raises:
            OSError: if there is none.
        """
        program = shutil.which("seismo")
        if program is None:
            raise OSError("record=True: no seismo on the PATH: the run's file is kept all the same")
        return cls(program, session, take)

    def attach(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        selector.register(self._from, selectors.EVENT_READ, self._receive)

    def write(self, lines: bytes) -> int:
        """Hands lines to the child; returns how many were dropped because it does not take them."""
        if self._to < 0:
            return 0
        dropped = 0
        if len(self._waiting) + len(lines) <= self.LIMIT:
            self._waiting += lines
        else:
            dropped = lines.count(b"\n")
        try:
            while self._waiting:
                del self._waiting[: os.write(self._to, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._hang_up()
        return dropped

    def _receive(self, _: int) -> None:
        received = os.read(self._from, _LONGEST_LINE)
        if not received:
            if self._selector is not None:
                self._selector.unregister(self._from)
            return
        self._input += received
        *lines, rest = self._input.split(b"\n")
        self._input = rest if len(rest) <= _LONGEST_LINE else bytearray()
        for line in lines:
            with contextlib.suppress(Flaw):
                request = read_request(bytes(line))
                request.reply = self._reply
                self._take(request)

    def _reply(self, line: bytes) -> None:
        self.write(line)

    def _hang_up(self) -> None:
        self._to = -1
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()

    def close(self, timeout: float = 10.0) -> None:
        """Ends the child's input and waits until its session is whole, but not for ever."""
        deadline = time.monotonic() + timeout
        while self._waiting and self._to >= 0 and time.monotonic() < deadline:
            select.select([], [self._to], [], 0.1)
            self.write(b"")
        self._hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout)
        if self._child.stdout is not None:
            self._child.stdout.close()

    def abandon(self) -> None:
        """Closes this process's ends only."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
