"""A run's lines out, commands for it in: what ``watch host:PATH`` runs where no Swift is.

Standard output: first a line on the relay itself, then the file's lines as they stand and come, and
between them the answers to commands. Standard input: commands as on the control socket.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import os
import selectors
import socket
import sys
import time
from typing import Any

from .folder import is_own_socket
from .lines import PROTOCOL, encoded

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds from one look at the file to the next.
INTERVAL = 0.1
#: Bytes of a command, and of an answer.
LONGEST_LINE = 8192
_CHUNK = 1 << 20
_LONGEST_RUN_LINE = 1 << 20


class Relay:
    """Follows one file and hands commands to the run that writes it."""

    def __init__(self, path: str, offset: int = 0) -> None:
        """Opens the file.

        Raises:
            OSError: if it cannot be read.
        """
        self.path = path
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._description = _run_line(self._file)
        self._offset = min(offset, os.fstat(self._file.fileno()).st_size)
        self._tail = b""
        self._socket: socket.socket | None = None
        self._flaw = self._connect()
        self._answers = b""
        self._commands = b""
        self._is_input_over = False

    def _connect(self) -> str | None:
        """Why there are no hands; None where there are."""
        path = self._description.get("control")
        if not isinstance(path, str):
            return "the run names no control socket"
        if not is_own_socket(path):
            return "the control socket that the file names is none of this account's, or gone"
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.connect(path)
        except OSError as error:
            connected.close()
            return f"the run does not answer: {error.strerror}"
        self._socket = connected
        return None

    def greeting(self) -> dict[str, Any]:
        line: dict[str, Any] = {
            "protocol": PROTOCOL,
            "path": os.path.abspath(self.path),
            "offset": self._offset,
            "python": sys.executable,
            "hands": self._flaw is None,
        }
        if self._flaw is not None:
            line["reason"] = self._flaw
        return {"relay": line}

    def run(self) -> None:
        """Relays until the run is over and all of it is printed."""
        _print(encoded(self.greeting()))
        selector = selectors.DefaultSelector()
        with contextlib.suppress(OSError, ValueError, PermissionError):
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._take_commands)
        if self._socket is not None:
            selector.register(self._socket, selectors.EVENT_READ, self._take_answers)
        while True:
            is_alive = self._is_written()
            has_printed = self._print_lines()
            if not has_printed and (not is_alive or self._is_unheard()):
                return
            timeout = 0 if has_printed else INTERVAL
            if not selector.get_map():
                time.sleep(timeout)
            for key, _ in selector.select(timeout) if selector.get_map() else ():
                if not key.data():
                    selector.unregister(key.fileobj)

    def _is_unheard(self) -> bool:
        """Whether nobody asks any more for a file whose end nobody can tell."""
        return self._is_input_over and not self._description

    def _is_written(self) -> bool:
        """Whether a process holds the file as its writer; True where that cannot be known."""
        if not self._description:
            return True
        process = self._description.get("pid")
        if fcntl is not None:
            try:
                fcntl.flock(self._file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
                fcntl.flock(self._file.fileno(), fcntl.LOCK_UN)
                return False
            except BlockingIOError:
                return True
            except OSError:
                pass
        if not isinstance(process, int) or self._description.get("host") != socket.gethostname():
            return True
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass
        return True

    def _print_lines(self) -> bool:
        """Prints the whole lines that have come; half a line waits for its end."""
        size = os.fstat(self._file.fileno()).st_size
        if size < self._offset:
            self._offset, self._tail = 0, b""
        self._file.seek(self._offset)
        received = self._file.read(_CHUNK)
        if not received:
            return False
        self._offset += len(received)
        whole, end, rest = (self._tail + received).rpartition(b"\n")
        self._tail = rest
        if end:
            _print(whole + end)
        return True

    def _take_commands(self) -> bool:
        received = os.read(sys.stdin.fileno(), LONGEST_LINE)
        self._is_input_over = not received
        *lines, self._commands = (self._commands + received).split(b"\n")
        for line in lines:
            if len(line) > LONGEST_LINE:
                self._refuse(b"{}", f"a line may have {LONGEST_LINE} bytes")
            elif line.strip():
                self._hand_over(line)
        if len(self._commands) > LONGEST_LINE:
            self._refuse(b"{}", f"a line may have {LONGEST_LINE} bytes")
            return False
        return bool(received)

    def _hand_over(self, line: bytes) -> None:
        if self._socket is None:
            self._refuse(line, self._flaw or "the run is over")
            return
        try:
            self._socket.sendall(line + b"\n")
        except OSError as error:
            self._refuse(line, f"the run cannot be reached: {error.strerror}")

    def _refuse(self, line: bytes, reason: str) -> None:
        refusal: dict[str, Any] = {"answer": "refused"}
        with contextlib.suppress(ValueError, RecursionError):
            asked = json.loads(line)
            if isinstance(asked, dict) and isinstance(asked.get("id"), int):
                refusal["id"] = asked["id"]
        _print(encoded({**refusal, "reason": reason}))

    def _take_answers(self) -> bool:
        assert self._socket is not None
        try:
            received = self._socket.recv(LONGEST_LINE)
        except OSError:
            received = b""
        whole, end, self._answers = (self._answers + received).rpartition(b"\n")
        if end:
            _print(whole + end)
        if not received:
            self._socket.close()
            self._socket, self._flaw = None, "the run is over"
        return bool(received)


def _run_line(file: Any) -> dict[str, Any]:
    """What the file's last run line tells, as far as its beginning and end hold one."""
    found: dict[str, Any] = {}
    size = os.fstat(file.fileno()).st_size
    for start in (0, max(0, size - _LONGEST_RUN_LINE)):
        file.seek(start)
        for line in file.read(_LONGEST_RUN_LINE).split(b"\n"):
            if line.startswith(b'{"run":'):
                with contextlib.suppress(ValueError, RecursionError):
                    run = json.loads(line)["run"]
                    found = run if isinstance(run, dict) else found
    return found


def _print(lines: bytes) -> None:
    view = memoryview(lines)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


def resolved(path: str) -> str:
    """``path``, or the newest file of lines in it where it is a folder.

    Raises:
        OSError: if there is none.
    """
    if not os.path.isdir(path):
        return path
    found = glob.glob(os.path.join(glob.escape(path), "*.jsonl"))
    if not found:
        raise OSError("no .jsonl file in it")
    return max(found, key=os.path.getmtime)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m seismo relay", description="A run's lines out, commands for it in."
    )
    parser.add_argument("path", help="a run's .jsonl file, or a folder: its newest one")
    parser.add_argument(
        "--from", dest="offset", type=int, default=0, metavar="BYTES", help="where to go on"
    )
    options = parser.parse_args(words)
    try:
        Relay(resolved(options.path), max(0, options.offset)).run()
    except (BrokenPipeError, KeyboardInterrupt):
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"seismo: {options.path}: {error.strerror or error}\n")
        return 65
    return 0
