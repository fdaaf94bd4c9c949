#!/usr/bin/env python3
"""How the dashboard behaves on a real terminal: what it costs, how fast it answers, what it survives.

    studies/conduct.py [PART]...      all of them, or: frame idle load keys random signals terminals

Each part drives the program in a pseudo-terminal of its own. Where pyte is installed (pip install
pyte) a terminal emulator reads what is written and the screen is compared with 'replay --text'.
Ends with 1 where a bound is passed or a promise broken. SEISMO names the program.
"""
import fcntl
import os
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

try:
    import pyte
except ImportError:
    pyte = None

SEISMO = os.path.abspath(os.environ.get("SEISMO", ".build/release/seismo"))
RECORDING = os.path.abspath("sessions/rescue.seismo")
folder = tempfile.mkdtemp(prefix="seismo-conduct-")
failures = []


def check(name, good, words):
    print(f"{name}: {words}{'' if good else '   <-- NOT AS PROMISED'}", flush=True)
    if not good:
        failures.append(name)


# A shell's job control: the program in a foreground group of its own; once it has stopped, SIGUSR1
# brings it back.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    os.execv(sys.argv[2], sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(child))
os.rename(sys.argv[1], sys.argv[1] + ".pid")
while True:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status) % 256)
    os.tcsetpgrp(0, os.getpgrp())
    signal.sigwait([signal.SIGUSR1])
    os.tcsetpgrp(0, child)
    os.kill(child, signal.SIGCONT)
"""


class Terminal:
    """A program in a pseudo-terminal; what it writes is kept, and read by an emulator."""

    def __init__(self, arguments, columns=120, rows=40, term="xterm-256color", utf8=True,
                 shell=False, **extra):
        environment = dict(os.environ, TERM=term, XDG_STATE_HOME=folder, XDG_CONFIG_HOME=folder)
        for name in ["NO_COLOR", "COLORTERM", "TMUX", "LC_ALL", "LC_CTYPE"]:
            environment.pop(name, None)
        environment["LANG"] = "C.UTF-8" if utf8 else "C"
        environment.update(extra)
        self.master, slave = os.openpty()
        self.size(columns, rows)
        self.modes = termios.tcgetattr(slave)
        self.slave = slave
        command = [SEISMO] + arguments
        if shell:
            note = os.path.join(folder, "child")
            command = [sys.executable, "-c", SHELL, note] + command
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment,
            cwd=folder, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.pid = self.process.pid
        if shell:
            while not os.path.exists(note + ".pid"):
                time.sleep(0.01)
            with open(note + ".pid") as file:
                self.pid = int(file.read())
        self.written = b""
        self.screen = pyte.Screen(columns, rows) if pyte else None
        self.stream = pyte.ByteStream(self.screen) if pyte else None

    def size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds, until=None):
        """Reads for so long, or until the text has come; gives the bytes that came."""
        end = time.monotonic() + seconds
        came = b""
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break
            try:
                some = os.read(self.master, 1 << 16)
            except OSError:
                break
            if not some:
                break
            came += some
            if until is not None and until in came:
                break
        self.written += came
        if self.stream:
            # pyte knows colours only with semicolons.
            self.stream.feed(re.sub(rb"\x1b\[[0-9:;]*m",
                                    lambda match: match[0].replace(b"::", b":").replace(b":", b";"),
                                    came))
        return came

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def cpu(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def state(self):
        with open(f"/proc/{self.pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def lives(self):
        try:
            return self.state() not in "ZX"
        except FileNotFoundError:
            return False

    def settle(self, quiet=0.6, most=10):
        """Reads until nothing more comes."""
        end = time.monotonic() + most
        self.read(most, until=b"\x1b")
        while time.monotonic() < end and self.read(quiet):
            pass

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def restored(self):
        return termios.tcgetattr(self.slave)[:4] == self.modes[:4]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in [self.master, self.slave]:
            try:
                os.close(descriptor)
            except OSError:
                pass


def frame():
    """A frame at 200x60 takes less than 4 ms of the processor."""
    terminal = Terminal(["bench-frame", "--session", RECORDING], 200, 60)
    terminal.read(60, until=b"behind the help")
    terminal.read(1)
    for line in terminal.written.decode(errors="replace").splitlines():
        if " median " in line:
            words = line[line.index("200x60"):] if "200x60" in line else line
            median = float(words.split("median ")[1].split()[0])
            check("frame", median < 4, words)
    terminal.end()


def idle():
    """Where nothing changes nothing is sent, and hardly a processor used."""
    for name, arguments, keys in [
        ("a replay at its end", ["replay", RECORDING], "G"),
        ("a paused run", ["train", "--preset", "tiny", "--session", f"{folder}/i.seismo"], " "),
    ]:
        terminal = Terminal(arguments, 200, 60)
        terminal.read(2)
        terminal.type(keys)
        terminal.read(6)
        before = terminal.cpu()
        came = terminal.read(10)
        used = terminal.cpu() - before
        check("idle", not came, f"{name}: {len(came)} bytes in 10 s, {used * 10:.1f}% of a core")
        terminal.end()


def load():
    """Ten updates a second of sixty metrics take less than 3% of a core."""
    session = f"{folder}/load.seismo"
    source = subprocess.Popen(
        [SEISMO, "ingest", "--session", session], stdin=subprocess.PIPE, cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def write(step):
        metrics = {f"grad_rms/L{layer}.{name}": random.random() * 1e-3
                   for layer in range(6) for name in ["q", "k", "v", "o", "up", "down"]}
        metrics |= {f"attention_logit_max/{layer}": 20 + step / 10 for layer in range(6)}
        metrics |= {"loss": 2 + 3 / (1 + step / 50) + random.random() / 10, "lr": 1e-3,
                    "grad_norm": 1 + random.random()}
        fields = ",".join(f'"{name}":{value:.6g}' for name, value in metrics.items())
        source.stdin.write(f'{{"step":{step},"metrics":{{{fields}}}}}\n'.encode())
        source.stdin.flush()
    for step in range(2000):
        write(step)
    time.sleep(2)
    for columns, rows in [(120, 40), (200, 60)]:
        terminal = Terminal(["watch", session], columns, rows)
        terminal.read(3)
        before, sent = terminal.cpu(), 0
        start = time.monotonic()
        for tick in range(100):
            step += 1
            write(step)
            sent += len(terminal.read(start + (tick + 1) / 10 - time.monotonic()))
        seconds = time.monotonic() - start
        share = (terminal.cpu() - before) / seconds * 100
        check("load", share < 3, f"{columns}x{rows}: {share:.1f}% of a core at ten updates a second, "
              f"{sent / seconds / 1000:.1f} kB/s sent")
        terminal.end()
    source.stdin.close()
    source.wait()


def keys():
    """Keys answer within 30 ms while the trainer uses every core."""
    terminal = Terminal(
        ["train", "--preset", "small", "--session", f"{folder}/k.seismo"], 120, 40)
    terminal.read(6)
    before = terminal.cpu()
    times = []
    for turn in range(200):
        # A pause in which the screen has said all it has to say of the last step.
        terminal.read(0.05 + random.random() / 10)
        came = b""
        mark = f"k{turn}q".encode()
        if turn % 2 == 0:
            terminal.type(":")
            wait = b"command"
        else:
            terminal.type("\x1b")
            wait = b"\x1b"
        start = time.monotonic()
        came = terminal.read(1, until=wait)
        if came and turn % 2 == 0:
            times.append((time.monotonic() - start) * 1000)
    used = (terminal.cpu() - before)
    times.sort()
    most = times[int(len(times) * 0.95)]
    check("keys", most < 30, f"':' shown after {times[len(times) // 2]:.1f} ms in the median, 19 in 20 "
          f"within {most:.1f}, longest {times[-1]:.1f} ({len(times)} times, trainer on "
          f"{os.cpu_count()} cores)")
    terminal.end()


def hands(generator, columns, rows):
    """Bytes that a person's hands may send; none that leaves the program by itself."""
    kind = generator.randrange(10)
    if kind == 0:
        button = generator.choice([0, 1, 2, 32, 34, 64, 65])
        column, row = generator.randrange(1, columns + 3), generator.randrange(1, rows + 3)
        return f"\x1b[<{button};{column};{row}{generator.choice('Mm')}"
    if kind == 1:
        return generator.choice(["\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H",
                                 "\x1b[F", "\x1b[Z", "\x1bOP", "\x1b[200~set z\n_loss\x1b[201~"])
    if kind == 2:
        return generator.choice(["\t", "\r", "\x7f", "\x1b", "\x0c", "\x0e", "\x10", "é", "日", "\x1b[99~"])
    return generator.choice("  .cm{}uxhjkl+-0gG[]syYa/n123456789pfto?:rbN<>xss")


def random_hands():
    """Ten thousand keys, clicks and sizes crash nothing and leave a sane screen."""
    for name, arguments in [
        ("replay", ["replay", RECORDING]),
        ("train", ["train", "--preset", "tiny", "--session", f"{folder}/r.seismo", "--workers", "1",
                   "--checkpoint-every", "500"]),
    ]:
        generator = random.Random(7)
        columns, rows = 120, 40
        terminal = Terminal(arguments, columns, rows)
        terminal.stream = None
        terminal.read(2)
        count = 0
        ended = False
        while count < 5000 and not ended:
            if generator.randrange(60) == 0:
                tiny = generator.randrange(3) == 0
                columns = generator.randrange(1, 24 if tiny else 300)
                rows = generator.randrange(1, 8 if tiny else 100)
                terminal.size(columns, rows)
            terminal.type(hands(generator, columns, rows))
            count += 1
            if count % 20 == 0:
                terminal.read(0.01)
            ended = terminal.process.poll() is not None
        code = terminal.process.poll()
        words = f"{name}: {count} keys, clicks and sizes"
        if code is not None:
            check("random", code == 0, f"{words}, then it had ended with {code}")
            terminal.end()
            continue
        terminal.size(120, 40)
        terminal.read(3)
        # Out of whatever box is open, then all drawn anew.
        for _ in range(6):
            terminal.type("\x1b")
            terminal.read(0.1)
        if pyte:
            terminal.screen = pyte.Screen(120, 40)
            terminal.stream = pyte.ByteStream(terminal.screen)
            terminal.type("\x0c")
            terminal.read(2)
            lines = terminal.lines()
            check("random", "step " in lines[0] and "loss " in lines[0],
                  f"{words}; then the screen begins with '{lines[0].strip()[:60]}…'")
        terminal.type("q")
        terminal.read(1)
        if terminal.process.poll() is None:
            terminal.type("1")
            terminal.read(4)
        check("random", terminal.process.poll() == 0 and terminal.restored(),
              f"{name}: left with {terminal.process.poll()}, the terminal "
              + ("as it was" if terminal.restored() else "changed"))
        terminal.end()


def last_step(session):
    out = subprocess.run([SEISMO, "export", session, "--format", "csv", "--metric", "loss"],
                         capture_output=True, text=True, cwd=folder).stdout.splitlines()
    return int(out[-1].split(",")[0]) if len(out) > 1 else -1


def signals():
    """SIGTSTP and SIGCONT, SIGHUP, a lost SIGWINCH, SIGTERM, prints by others."""
    session = f"{folder}/s.seismo"
    terminal = Terminal(["train", "--preset", "tiny", "--session", session, "--workers", "1",
                         "--steps", "1000000"], 120, 40, shell=True)
    terminal.read(2)
    for name, stop in [("SIGTSTP", lambda: os.kill(terminal.pid, signal.SIGTSTP)),
                       ("ctrl-z", lambda: terminal.type("\x1a"))]:
        stop()
        came = terminal.read(1.0)
        check("signals", terminal.state() == "T" and b"\x1b[?1049l" in came and terminal.restored(),
              f"{name}: stopped, the terminal as it was")
        terminal.size(100, 30)
        terminal.process.send_signal(signal.SIGUSR1)
        came = terminal.read(1.0)
        check("signals", b"\x1b[?1049h" in came and b"SEISMO" in came and not terminal.restored(),
              "SIGCONT: the screen is back, also after another size")
    os.kill(terminal.pid, signal.SIGHUP)
    terminal.read(0.5)
    os.close(terminal.master)
    time.sleep(1.0)
    before = last_step(session)
    time.sleep(2.0)
    after = last_step(session)
    check("signals", terminal.lives() and after > before >= 0,
          f"SIGHUP and no terminal: the run went on from step {before} to {after}")
    out = subprocess.run([SEISMO, "control", session, "stop"], cwd=folder, capture_output=True,
                         text=True)
    end = time.monotonic() + 20
    while terminal.lives() and time.monotonic() < end:
        time.sleep(0.1)
    check("signals", not terminal.lives(), f"'control stop': {out.stdout.strip()}")
    terminal.end()

    terminal = Terminal(["train", "--preset", "tiny", "--session", f"{folder}/t.seismo"], 120, 40)
    terminal.read(2)
    terminal.process.send_signal(signal.SIGTERM)
    terminal.read(5)
    check("signals", terminal.process.wait(10) == 143 and terminal.restored(),
          f"SIGTERM: {terminal.process.returncode}, the terminal as it was")
    terminal.end()


def terminals():
    """Every terminal shows the screen; where the emulator knows it all, the very same text."""
    for term, utf8 in [("xterm-256color", True), ("tmux-256color", True), ("screen", True),
                       ("screen-256color", True), ("xterm-kitty", True), ("foot", True),
                       ("xterm-direct", True), ("xterm", True), ("linux", True), ("vt100", True),
                       ("vt220", True), ("ansi", True), ("xterm-256color", False), ("vt100", False),
                       ("dumb", True), ("nonsense", True)]:
        for columns, rows in [(80, 24), (40, 12), (120, 40)]:
            name = f"{term}{'' if utf8 else ' without UTF-8'} {columns}x{rows}"
            # What the random hands left behind is remembered elsewhere.
            terminal = Terminal(["replay", RECORDING, "--at", "800", "--speed", "1"], columns, rows,
                                term, utf8, XDG_STATE_HOME=os.path.join(folder, "terminals"))
            terminal.settle()
            if term == "dumb":
                text = terminal.written.decode(errors="replace")
                check("terminals", "step 800" in text or "TERM" in text,
                      f"{name}: '{text.strip().splitlines()[0][:90] if text.strip() else ''}'")
                terminal.end()
                continue
            if pyte:
                wanted = subprocess.run(
                    [SEISMO, "replay", RECORDING, "--at", "800", "--size", f"{columns}x{rows}",
                     "--text"], capture_output=True, text=True, cwd=folder,
                    env=dict(os.environ, XDG_CONFIG_HOME=folder)).stdout.splitlines()
                wanted = [line.rstrip() for line in wanted]
                lines = terminal.lines()
                differing = sum(a != b for a, b in zip(wanted, lines))
                has = "step 800" in lines[0] and "loss" in lines[0]
                isASCII = all(ord(c) < 128 for line in lines for c in line)
                words = "as printed" if differing == 0 else f"{differing} lines differ"
                if not utf8:
                    words = "ASCII" if isASCII else "signs beyond ASCII"
                check("terminals", has and (isASCII or utf8), f"{name}: {words}")
            terminal.type("q")
            terminal.read(1)
            check("terminals", terminal.process.poll() == 0 and terminal.restored(),
                  f"{name}: left with {terminal.process.poll()}") if (
                      terminal.process.poll() != 0 or not terminal.restored()) else None
            terminal.end()


parts = {"frame": frame, "idle": idle, "load": load, "keys": keys, "random": random_hands,
         "signals": signals, "terminals": terminals}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(parts)
    for name in chosen:
        if name not in parts:
            sys.exit(f"no part '{name}': {' '.join(parts)}")
    try:
        for name in chosen:
            parts[name]()
    finally:
        subprocess.run(["rm", "-rf", folder])
    sys.exit(1 if failures else 0)
