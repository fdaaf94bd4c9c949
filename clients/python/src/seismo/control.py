"""The socket by which other processes of this account give commands to the run.

It is a Unix socket, mode 0600 in a folder of mode 0700; lines are those of PROTOCOL.md. Nothing
here blocks: who sends lines without end, or does not take the answers, is dropped; the run is not.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import socket
import struct
from typing import Callable

from .folder import socket_path
from .lines import encoded
from .requests import Flaw, Request, read_request

LONGEST_LINE = 8192
OUTPUT_LIMIT = 1 << 18
WAITING_LIMIT = 64
CONNECTION_LIMIT = 32

Take = Callable[[Request], None]


class ControlServer:
    """Owns the socket and its connections; used by one thread after ``__init__``."""

    def __init__(self, name: str, take: Take) -> None:
        """Opens the socket of the run called ``name``; ``take`` is handed whole, valid requests.

        Raises:
            OSError: if there is no folder for it, or no such sockets.
        """
        stem = "".join(c for c in name if c.isascii() and c.isalnum())[:20]
        self.path = socket_path(f"{stem}-{os.getpid()}-{secrets.token_hex(4)}.sock")
        self._take = take
        self._connections: set[Connection] = set()
        self._selector: selectors.BaseSelector | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.setblocking(False)
            self._listener.bind(self.path)
            os.chmod(self.path, 0o600)
            self._listener.listen(128)
        except OSError:
            self._listener.close()
            raise

    def attach(self, selector: selectors.BaseSelector) -> None:
        """Takes connections from now on."""
        self._selector = selector
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self, _: int) -> None:
        assert self._selector is not None
        try:
            connected, _address = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= CONNECTION_LIMIT or peer_user(connected) not in (
            os.getuid(),
            None,
        ):
            connected.close()
            return
        connected.setblocking(False)
        connection = Connection(connected, self._selector, self._take, self._connections.discard)
        self._connections.add(connection)

    def close(self) -> None:
        """Sends what is answered, closes every connection and removes the socket."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        for connection in list(self._connections):
            connection.close()
        self.abandon()

    def abandon(self) -> None:
        """Closes this process's ends only: in a forked child the socket is the parent's."""
        for connection in list(self._connections):
            connection.abandon()
        self._listener.close()


class Connection:
    """One client: what it has sent, and what it has not taken yet."""

    def __init__(
        self,
        connected: socket.socket,
        selector: selectors.BaseSelector,
        take: Take,
        forget: Callable[[Connection], None],
    ) -> None:
        self._socket = connected
        self._selector = selector
        self._take = take
        self._forget = forget
        self._input = bytearray()
        self._output = bytearray()
        self._waiting = 0
        self._is_ended = False
        selector.register(connected, selectors.EVENT_READ, self._serve)

    def _serve(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush()
        if events & selectors.EVENT_READ:
            self._receive()

    def _receive(self) -> None:
        try:
            received = self._socket.recv(LONGEST_LINE)
        except BlockingIOError:
            return None
        except OSError:
            return self.close()
        if not received:
            self._is_ended = True
            return self._settle()
        self._input += received
        *lines, rest = self._input.split(b"\n")
        self._input = rest
        for line in lines:
            if len(line) > LONGEST_LINE:
                return self._refuse_length()
            if line:
                self._request(bytes(line))
        if len(rest) > LONGEST_LINE:
            return self._refuse_length()
        return None

    def _refuse_length(self) -> None:
        self._send(encoded(Request("").answer(False, f"a line may have {LONGEST_LINE} bytes")))
        self.close()

    def _request(self, line: bytes) -> None:
        try:
            request = read_request(line)
        except Flaw as flaw:
            return self._send(encoded(Request("", id=flaw.id).answer(False, str(flaw))))
        if self._waiting >= WAITING_LIMIT:
            refusal = request.answer(False, "too many commands wait: take their answers first")
            return self._send(encoded(refusal))
        self._waiting += 1
        request.reply = self._deliver
        return self._take(request)

    def _deliver(self, answer: bytes) -> None:
        self._waiting -= 1
        self._send(answer)

    def _send(self, line: bytes) -> None:
        if self._socket.fileno() < 0:
            return
        self._output += line
        self._flush()

    def _flush(self) -> None:
        try:
            while self._output:
                del self._output[: self._socket.send(self._output)]
        except BlockingIOError:
            if len(self._output) > OUTPUT_LIMIT:
                return self.close()
        except OSError:
            return self.close()
        return self._settle()

    def _settle(self) -> None:
        """Waits for what is still to come; closes where that is nothing."""
        if self._is_ended and not self._waiting and not self._output:
            return self.close()
        events = selectors.EVENT_WRITE if self._output else 0
        events |= 0 if self._is_ended else selectors.EVENT_READ
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._socket)
        if events:
            self._selector.register(self._socket, events, self._serve)
        return None

    def close(self) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._socket)
        self.abandon()
        self._forget(self)

    def abandon(self) -> None:
        self._socket.close()


def peer_user(connected: socket.socket) -> int | None:
    """The account at the other end; None where the system does not say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    credentials = connected.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    user: int = struct.unpack("3i", credentials)[1]
    return user
