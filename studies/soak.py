#!/usr/bin/env python3
"""Trains a tiny model for many steps and prints how much memory the process holds meanwhile.

    studies/soak.py [STEPS] [--headless]

With the dashboard on a terminal of 200x60, or without one; a line each 10,000 steps with the
resident memory, its part that is not mapped from files, and at the end how much it grew from a
fifth of the way on. SEISMO names the program.
"""

import fcntl
import os
import pty
import select
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time


def memory(pid):
    """Resident megabytes: all, and what is no file's."""
    fields = {}
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            name, _, value = line.partition(":")
            fields[name] = value.split()
    return tuple(int(fields[name][0]) / 1024 for name in ("VmRSS", "RssAnon"))


def steps_done(session):
    """The last step that lies in a closed chunk; 0 where none does."""
    try:
        with sqlite3.connect(f"file:{session}?mode=ro", uri=True, timeout=5) as database:
            return database.execute("SELECT max(last_step) FROM chunks").fetchone()[0] or 0
    except sqlite3.Error:
        return 0


def start(arguments, is_headless):
    """The process, and its terminal's end to be read; None where it has none."""
    if is_headless:
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL), None
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    environment = dict(os.environ, TERM="xterm-256color")
    process = subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment,
        start_new_session=True)
    os.close(theirs)
    return process, ours


def drain(terminal, seconds):
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        if terminal is None:
            time.sleep(rest)
        elif select.select([terminal], [], [], rest)[0]:
            try:
                os.read(terminal, 1 << 16)
            except OSError:
                return


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    is_headless = "--headless" in sys.argv
    seismo = os.environ.get("SEISMO", ".build/release/seismo")
    steps = int(words[0]) if words else 100_000
    with tempfile.TemporaryDirectory() as folder:
        session = f"{folder}/soak.seismo"
        arguments = [
            os.path.abspath(seismo), "train", "--preset", "tiny", "--steps", str(steps),
            "--session", session, "--workers", "1"]
        process, terminal = start(arguments + (["--headless"] if is_headless else []), is_headless)
        readings, next_line = [], 0
        while process.poll() is None:
            drain(terminal, 0.5)
            done = steps_done(session)
            try:
                resident, anonymous = memory(process.pid)
            except (FileNotFoundError, ProcessLookupError, KeyError):
                break
            readings.append((done, resident))
            if done >= next_line:
                print(f"step {done:7d}  {resident:6.1f} MB  anonymous {anonymous:6.1f} MB", flush=True)
                next_line += 10_000
            if done >= steps - 1024:
                # The screen of a run that is over waits for a person.
                time.sleep(2)
                process.terminate()
                break
        process.wait()
    late = [resident for done, resident in readings if done >= steps / 5]
    if late:
        print(f"from step {steps // 5} on: {min(late):.1f} to {max(late):.1f} MB, "
              f"{late[-1] - late[0]:+.1f} MB")


if __name__ == "__main__":
    main()
