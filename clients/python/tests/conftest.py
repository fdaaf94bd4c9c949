"""What the tests share: a run in a folder of its own, and the other end of its socket."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

import seismo

#: Seconds that anything may take on a loaded machine.
PATIENCE = 120.0
#: From 3.12 on Python doubts a fork of a process that has threads, as a run has.
QUIET = ("-W", "ignore:This process:DeprecationWarning")


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A working directory and a runtime folder of the test's own; no job's variables."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("SLURM_", "OMPI_")) or name in ("RANK", "WORLD_SIZE", "SEISMO"):
            monkeypatch.delenv(name)
    # A socket's path has 107 bytes: pytest's own folders are too deep.
    runtime = tempfile.mkdtemp(prefix="s-")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    yield
    if seismo.current_run() is not None:
        seismo.current_run().finish()
    if "seismo.torch" in sys.modules:
        sys.modules["seismo.torch"].remove_all()
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def run():
    return seismo.init(name="test")


def lines_of(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def steps_of(path):
    return [line for line in lines_of(path) if "metrics" in line]


def events_of(path, kind=None):
    events = [line for line in lines_of(path) if "event" in line]
    return [event for event in events if kind in (None, event["event"])]


def state_of(path):
    return [line for line in lines_of(path) if "state" in line][-1]


def wait_until(condition, what="it", patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited {patience} s for {what}"
        time.sleep(0.01)


class Watcher:
    """The other end of a control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self._received = b""

    def send(self, command, **members):
        self.socket.sendall(json.dumps({"command": command, **members}).encode() + b"\n")

    def answer(self):
        while b"\n" not in self._received:
            received = self.socket.recv(65536)
            if not received:
                raise EOFError
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def ask(self, command, **members):
        self.send(command, **members)
        return self.answer()

    def close(self):
        self.socket.close()


@pytest.fixture
def watch():
    """Connects to a run; everything is closed at the end."""
    opened = []

    def connect(run):
        watcher = Watcher(run.control if hasattr(run, "control") else run)
        opened.append(watcher)
        return watcher

    yield connect
    for watcher in opened:
        watcher.close()


def has_come(run, count=1):
    """Waits until so many requests have reached the run."""
    wait_until(lambda: len(run._hands.inbox) >= count, "a request")


def start_script(code, *words, **environment):
    """A Python process that runs ``code``."""
    return subprocess.Popen(
        [sys.executable, *QUIET, "-c", textwrap.dedent(code), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )


def run_script(code, *words, **environment):
    process = start_script(code, *words, **environment)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def only_file(folder="runs"):
    (path,) = Path(folder).glob("*.jsonl")
    return path
