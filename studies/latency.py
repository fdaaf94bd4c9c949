#!/usr/bin/env python3
"""How long it takes from a flushed line of a log to the screen.

    python3 studies/latency.py FILE LINES COMMAND…

Writes FILE, JSON lines of 50 steps, runs COMMAND, such as `seismo watch FILE` or
`seismo watch HOST:FILE`, in a pseudo-terminal of 120x40, and appends LINES steps, one a second at
random moments; each is timed until its loss, or much else, has been sent to the terminal.
"""

import fcntl
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
# What the terminal is sent for a new frame, where its numbers come in pieces.
FRAME = 200
LONGEST = 3.0


def line(step, loss):
    return '{"step":%d,"loss":%.4f}\n' % (step, loss)


def started(command):
    process, screen = pty.fork()
    if process == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    return process, screen


def drained(screen, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.01)[0]:
            os.read(screen, 1 << 16)


def seen(screen, words):
    """When the words, or a frame, have come; none where they do not come in time."""
    sent = b""
    start = time.monotonic()
    while time.monotonic() - start < LONGEST:
        if not select.select([screen], [], [], 0.002)[0]:
            continue
        sent += os.read(screen, 1 << 16)
        plain = ESCAPES.sub(b"", sent)
        if words in plain or len(plain) > FRAME:
            return time.monotonic() - start
    return None


def main():
    path, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    with open(path, "w") as file:
        file.writelines(line(step, 5 - step / 100) for step in range(50))
    process, screen = started(command)
    drained(screen, 5)
    times = []
    with open(path, "a") as file:
        for step in range(50, 50 + count):
            loss = 2 + random.random()
            file.write(line(step, loss))
            file.flush()
            times.append(seen(screen, b"%.3f" % loss))
            drained(screen, 0.6 + 0.4 * random.random())
    os.write(screen, b"q")
    time.sleep(0.3)
    os.kill(process, signal.SIGKILL)
    found = [seconds for seconds in times if seconds is not None]
    print(f"{len(found)} of {count}: median {statistics.median(found):.3f} s, longest {max(found):.3f} s")


if __name__ == "__main__":
    main()
