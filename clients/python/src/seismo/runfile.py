"""The file of a run: lines are only ever appended, by one writer.

A writer that is killed may leave half a line, which nobody takes for a whole one and which the next
writer ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import time

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]


class RunFile:
    """Appends to a file of JSON lines; what a full disk does not take waits, up to a limit."""

    #: Bytes that wait for the disk; beyond them lines are dropped and counted.
    LIMIT = 16 << 20

    def __init__(self, path: str, fresh: bool) -> None:
        """Opens it.

        Raises:
            OSError: if it cannot be made, or another process is writing it.
        """
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | (os.O_EXCL if fresh else 0)
        self._descriptor = os.open(path, flags, 0o644)
        self._waiting = bytearray()
        self._lock()
        if not fresh:
            self._end_last_line()

    def _lock(self) -> None:
        """One writer: readers see by the lock whether the run is alive."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise OSError(f"{self.path}: another process is writing it") from None
        except OSError:
            pass  # some network file systems have no locks

    def _end_last_line(self) -> None:
        """A writer that was killed may have left half a line: it ends here."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            self._waiting += b"\n"

    def write(self, lines: bytes) -> int:
        """Hands lines to the system.

        Returns:
            How many of them were dropped because too many wait already.

        Raises:
            OSError: what keeps them from the disk; they wait for the next call.
        """
        dropped = 0
        if len(self._waiting) + len(lines) <= self.LIMIT:
            self._waiting += lines
        else:
            dropped = lines.count(b"\n")
        while self._waiting:
            written = os.write(self._descriptor, self._waiting)
            del self._waiting[:written]
        return dropped

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def opened(folder: str, name: str, resume: str | None) -> RunFile:
    """``FOLDER/NAME-TIME.jsonl``, or the one to go on with.

    Raises:
        OSError: if it cannot be written.
    """
    if resume is not None:
        os.makedirs(os.path.dirname(os.path.abspath(resume)), exist_ok=True)
        return RunFile(resume, fresh=False)
    os.makedirs(folder, exist_ok=True)
    stem = f"{file_stem(name)}-{time.strftime('%Y%m%d-%H%M%S')}"
    for attempt in range(1, 100):
        path = os.path.join(folder, f"{stem}{'' if attempt == 1 else f'-{attempt}'}.jsonl")
        try:
            return RunFile(path, fresh=True)
        except FileExistsError:
            continue
    raise OSError(f"{folder}/{stem}.jsonl: a hundred runs of that name began this second")


def newest(folder: str, name: str) -> str | None:
    """The latest file of the runs called ``name``."""
    pattern = re.compile(re.escape(file_stem(name)) + r"-\d{8}-\d{6}(-\d+)?\.jsonl")
    with contextlib.suppress(OSError):
        found = [entry.path for entry in os.scandir(folder) if pattern.fullmatch(entry.name)]
        return max(found, key=os.path.getmtime, default=None)
    return None


def file_stem(name: str) -> str:
    """``name`` with what file names do not bear replaced."""
    return re.sub(r"[^\w.+=-]+", "-", name).strip(".-")[:80] or "run"
