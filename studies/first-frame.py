#!/usr/bin/env python3
"""How long a program takes from its start to its first chart, and until it has read all.

    python3 studies/first-frame.py ROUNDS SECONDS LAST COMMAND [--- LAST COMMAND]…

Runs each command, such as `seismo watch FOLDER` and `wandb beta leet FOLDER`, in turn for SECONDS
in a pseudo-terminal of 200x60 and prints when the first chart came, a screen with twenty cells of
braille or blocks, when LAST, the last step as the program writes it, and the largest memory.
"""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]")
CHART = re.compile("[\u2801-\u28ff\u2581-\u2588]")
ENOUGH = 20
# What terminals answer to questions that some programs wait for: colours and the cursor's place.
ANSWERS = [
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[c", b"\x1b[?62c"),
]


def peak(process):
    """The largest resident memory, MB."""
    with open(f"/proc/{process}/status") as status:
        found = [line for line in status if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1000 if found else 0


def watched(last, command, seconds):
    """When the first chart came, when the last step, and the memory."""
    start = time.monotonic()
    process, screen = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LINES="60", COLUMNS="200")
        time.sleep(0.05)
        os.execvp(command[0], command)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    first, whole, glyphs, said = None, None, 0, ""
    while (now := time.monotonic() - start) < seconds:
        if not select.select([screen], [], [], 0.01)[0]:
            continue
        try:
            sent = os.read(screen, 1 << 16)
        except OSError:
            break
        for question, answer in ANSWERS:
            if question in sent:
                os.write(screen, answer)
        plain = ESCAPES.sub(b"", sent).decode("utf-8", "replace")
        glyphs += len(CHART.findall(plain))
        if first is None and glyphs >= ENOUGH:
            first = now
        said = (said + plain)[-4096:]
        if whole is None and last in said:
            whole = now
    memory = peak(process)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(screen)
    return first, whole, memory


def main():
    rounds, seconds, rest = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    commands = [[]]
    for word in rest:
        if word == "---":
            commands.append([])
        else:
            commands[-1].append(word)
    found = {tuple(command): [] for command in commands}
    for _ in range(rounds):
        for last, *command in commands:
            found[last, *command].append(watched(last, command, seconds))
    for (_, *command), rows in found.items():
        print(" ".join(command))
        for what, times in (("first chart", [r[0] for r in rows]), ("last step", [r[1] for r in rows])):
            seen = [seconds for seconds in times if seconds is not None]
            print(" ", what, f"{statistics.median(seen):.2f} s, median of {len(seen)}" if seen else "none")
        print("  memory", max(round(memory) for _, _, memory in rows), "MB")


if __name__ == "__main__":
    main()
