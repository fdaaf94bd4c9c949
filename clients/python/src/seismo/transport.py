"""The one thread of a run: it writes the file, serves the socket and feeds the recorder.

The loop hands entries over through a queue that never makes it wait; what finds no room is counted,
and the count is told in the file.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Union

from .control import ControlServer
from .effects import Effects
from .lines import StepLines, encoded, flattened
from .recorder import Recorder
from .requests import Request
from .runfile import RunFile

#: Seconds from one write to the next: what a SIGKILL costs at most.
FLUSH_INTERVAL = 0.5
#: Seconds of silence after which a line says that the run is alive.
ALIVE_INTERVAL = 10.0
#: Entries that wait; the thread is woken long before.
QUEUE_LIMIT = 50_000
_WAKE_AT = 5_000
#: Entries after which the loop may have the interpreter, if it waits for it.
_YIELD_EVERY = 8

Samples = tuple[int, float, Mapping[Any, Any]]
Line = dict[str, Any]
Answer = tuple[Request, Line]
Entry = Union[Samples, Line, Answer]
Warn = Callable[[str], None]


class Transport:
    """Starts its thread at once; its methods may be called from any thread."""

    def __init__(
        self,
        file: RunFile | None,
        server: ControlServer | None,
        recorder: Recorder | None,
        warn: Warn,
        beginning: Sequence[Line] = (),
    ) -> None:
        """Writes the lines that begin the run before it returns."""
        self._file = file
        self._server = server
        self._recorder = recorder
        self._warn = warn
        self._queue: deque[Entry] = deque()
        self._dropped = 0
        self._told_dropped = 0
        self._left_out: dict[str, str] = {}
        self._told_left_out: set[str] = set()
        self._effects = Effects()
        self._step_lines = StepLines()
        self._is_disk_full = False
        self._last_line = 0.0
        self._is_closing = False
        self._alarm = os.pipe()
        for end in self._alarm:
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._alarm[0], selectors.EVENT_READ, self._hear_alarm)
        if server is not None:
            server.attach(self._selector)
        if recorder is not None:
            recorder.attach(self._selector)
        self._queue.extend(beginning)
        self._drain()
        self._thread = threading.Thread(target=self._run, name="seismo", daemon=True)
        self._thread.start()

    def put(self, samples: Samples) -> None:
        """Hands a step over; drops and counts it where the queue is full."""
        queue = self._queue
        if len(queue) >= QUEUE_LIMIT:
            self._dropped += 1
            return
        queue.append(samples)
        if len(queue) == _WAKE_AT:
            self.wake()

    def tell(self, line: Line) -> None:
        """Hands any other line over; they are few, and never dropped."""
        self._queue.append(line)

    def answer(self, request: Request, line: Line) -> None:
        """Sends an answer at once."""
        self._queue.append((request, line))
        self.wake()

    def wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._alarm[1], b"!")

    def close(self, timeout: float = 10.0) -> None:
        """Writes all that waits, then ends the thread."""
        self._is_closing = True
        self.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def abandon(self) -> None:
        """In a forked child: lets go of what is the parent's, without a trace."""
        self._queue = deque()
        if self._server is not None:
            self._server.abandon()
        if self._recorder is not None:
            self._recorder.abandon()
        if self._file is not None:
            self._file.close()
        self._selector.close()
        for end in self._alarm:
            os.close(end)

    def _run(self) -> None:
        due = time.monotonic() + FLUSH_INTERVAL
        while not self._is_closing:
            is_called = False
            for key, events in self._selector.select(max(0.0, due - time.monotonic())):
                is_called = is_called or key.fd == self._alarm[0]
                self._served(key.data, events)
            if is_called or time.monotonic() >= due:
                self._drain()
                due = time.monotonic() + FLUSH_INTERVAL
        self._drain()
        self._end()

    def _served(self, serve: Callable[..., None], *what: Any) -> None:
        """Whatever one client brings about, the thread goes on."""
        try:
            serve(*what)
        except Exception as error:
            self._warn(f"the control socket: {type(error).__name__}: {error}")

    def _hear_alarm(self, _: int) -> None:
        with contextlib.suppress(OSError):
            while os.read(self._alarm[0], 512):
                pass

    def _drain(self) -> None:
        """Writes all entries that are there now."""
        lines: list[bytes] = []
        replies: list[Answer] = []
        for count in range(len(self._queue)):
            if count % _YIELD_EVERY == _YIELD_EVERY - 1:
                time.sleep(0)
            entry = self._queue.popleft()
            try:
                if isinstance(entry, dict):
                    self._effects.note(entry)
                    lines.append(encoded(entry))
                elif len(entry) == 3:
                    lines += self._samples(entry)
                else:
                    replies.append(entry)
            except Exception as error:
                self._warn(f"a line could not be written: {error}")
        lines += map(encoded, self._troubles())
        now = time.time()
        if not lines and now - self._last_line >= ALIVE_INTERVAL:
            lines.append(encoded({"alive": round(now, 3)}))
        if lines:
            self._last_line = now
        self._write(b"".join(lines))
        for request, line in replies:
            self._served(request.reply, encoded(line))

    def _samples(self, samples: Samples) -> list[bytes]:
        step, at, given = samples
        metrics = given
        line = self._step_lines.encoded(step, at, given)
        if line is None:
            metrics = flattened(given, {}, self._left_out)
            line = encoded({"step": step, "time": round(at, 3), "metrics": metrics})
        effects = self._effects.observe(step, at, metrics)
        return [line, *map(encoded, effects)]

    def _troubles(self) -> list[Line]:
        """What was dropped or left out since the last time, as lines."""
        told: list[Line] = []
        dropped = self._dropped
        if dropped > self._told_dropped:
            text = f"{dropped - self._told_dropped} lines dropped: more came than could be written"
            self._told_dropped = dropped
            told.append({"event": "fault", "name": "dropped", "by": "client", "text": text,
                         "values": {"dropped": dropped}})  # fmt: skip
            self._warn(text)
        for name in [name for name in self._left_out if name not in self._told_left_out]:
            self._told_left_out.add(name)
            self._warn(f"'{name}' is {self._left_out[name]}, no number: left out")
        return told

    def _write(self, lines: bytes) -> None:
        if self._recorder is not None:
            self._dropped += self._recorder.write(lines)
        if self._file is None:
            return
        try:
            self._dropped += self._file.write(lines)
            self._is_disk_full = False
        except OSError as error:
            if not self._is_disk_full:
                self._warn(f"{self._file.path}: {error.strerror}: lines wait in memory")
            self._is_disk_full = True

    def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._recorder is not None:
            self._recorder.close()
        if self._file is not None:
            self._file.close()
        self._selector.close()
        for end in self._alarm:
            os.close(end)
        self._alarm = (-1, -1)
