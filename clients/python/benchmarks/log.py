"""What logging costs the loop: Seismo beside W&B offline, Trackio and TensorBoard's writer.

    python benchmarks/log.py [--steps 2000] [--pairs 3]

Each tracker gets a process of its own, several times in turn. A step is a millisecond of work that
releases the interpreter's lock, as a device's does, and ten floats to log. Told are the time that a
call takes in the loop, the loop's time against one that logs nothing, the bytes on disk at the end,
and, of another process that is killed with SIGKILL amid its loop, how many of the steps that it had
logged can still be read. Trackers that are not installed are left out.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

NAMES = [f"group/metric_{index}" for index in range(10)]
WORK = b"x" * 700_000


def values(step):
    return {name: (step + 1.1) / (index + 3) for index, name in enumerate(NAMES)}


class Nothing:
    def log(self, metrics, step):
        pass

    def end(self):
        pass

    @staticmethod
    def steps_kept():
        return 0


class Seismo(Nothing):
    module = "seismo"

    def __init__(self):
        import seismo

        self.run = seismo.init(name="benchmark")

    def log(self, metrics, step):
        self.run.log(metrics, step=step)

    def end(self):
        self.run.finish()

    @staticmethod
    def steps_kept():
        (path,) = Path("runs").glob("*.jsonl")
        return sum(line.endswith(b"}}\n") for line in path.open("rb") if line[:7] == b'{"step"')


class WandbOffline(Nothing):
    module = "wandb"

    def __init__(self):
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true")
        import wandb

        self.wandb = wandb
        wandb.init(project="benchmark", settings=wandb.Settings(x_disable_stats=True))

    def log(self, metrics, step):
        self.wandb.log(metrics, step=step)

    def end(self):
        self.wandb.finish()

    @staticmethod
    def steps_kept():
        """Reads the framing itself: blocks of 32 KiB, a header of 7 bytes a piece of a record."""
        from wandb.proto.wandb_internal_pb2 import Record

        (path,) = Path("wandb").glob("offline-run-*/*.wandb")
        content = path.read_bytes()
        count, offset, record = 0, 7, b""
        while offset + 7 <= len(content):
            rest = 32768 - offset % 32768
            if rest < 7:
                offset += rest
                continue
            size = int.from_bytes(content[offset + 4 : offset + 6], "little")
            kind = content[offset + 6]
            piece = content[offset + 7 : offset + 7 + size]
            if kind == 0 or len(piece) < size:
                break
            record = piece if kind in (1, 2) else record + piece
            if kind in (1, 4):
                count += Record.FromString(record).HasField("history")
            offset += 7 + size
        return count


class Trackio(Nothing):
    module = "trackio"

    def __init__(self):
        os.environ["TRACKIO_DIR"] = os.path.abspath("trackio")
        import trackio

        self.trackio = trackio
        trackio.init(project="benchmark", embed=False, auto_log_gpu=False, auto_log_cpu=False)

    def log(self, metrics, step):
        self.trackio.log(metrics, step=step)

    def end(self):
        self.trackio.finish()

    @staticmethod
    def steps_kept():
        import sqlite3

        count = 0
        for path in Path("trackio").rglob("*.db"):
            with sqlite3.connect(path) as database:
                tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
                if "metrics" in tables:
                    count += database.execute("SELECT count(*) FROM metrics").fetchone()[0]
        return count


class TensorBoard(Nothing):
    module = "torch.utils.tensorboard"

    def __init__(self):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter("logs")

    def log(self, metrics, step):
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    def end(self):
        self.writer.close()

    @staticmethod
    def steps_kept():
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

        (path,) = Path("logs").glob("events*")
        last = NAMES[-1].encode()
        return sum(last in event for event in RawEventFileLoader(str(path)).Load())


TRACKERS = {
    "nothing": Nothing,
    "seismo": Seismo,
    "wandb offline": WandbOffline,
    "trackio": Trackio,
    "SummaryWriter": TensorBoard,
}

COLUMNS = (
    "tracker", "a call, median", "mean", "99 %", "loop against none", "at the end", "bytes a step",
    "kept after SIGKILL",
)  # fmt: skip


def loop(tracker, steps):
    """Runs the loop; returns the seconds of each call and of all."""
    calls = []
    began = time.perf_counter()
    for step in range(steps):
        hashlib.sha256(WORK).digest()
        metrics = values(step)
        before = time.perf_counter()
        tracker.log(metrics, step)
        calls.append(time.perf_counter() - before)
    return calls, time.perf_counter() - began


def child(name, steps, dies):
    """One measured loop in this process; told as a line of JSON."""
    told_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what trackers print is not for the parent
    tracker = TRACKERS[name]()
    if dies:
        for step in range(10**9):
            tracker.log(values(step), step)
            print(step + 1, file=told_to, flush=True)
            time.sleep(0.001)
    loop(tracker, min(200, steps))
    calls, seconds = loop(tracker, steps)
    began = time.perf_counter()
    tracker.end()
    told = {"calls": calls, "loop": seconds, "end": time.perf_counter() - began}
    print(json.dumps(told), file=told_to, flush=True)


def spawned(name, steps, folder, *words):
    return subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "--child", name, "--steps", str(steps), *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def measured(name, steps):
    with tempfile.TemporaryDirectory() as folder:
        out, _ = spawned(name, steps, folder).communicate()
        told = json.loads(out.strip().splitlines()[-1])
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        told["bytes"] = sum(path.stat().st_size for path in files)
    return told


def kept_after_kill(name, seconds=10.0):
    """Steps that were logged, and those that can be read after SIGKILL."""
    with tempfile.TemporaryDirectory() as folder:
        process = spawned(name, 0, folder, "--dies")
        logged = int(process.stdout.readline())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            logged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        logged = max([logged, *map(int, process.stdout.read().split())])
        process.wait()
        # Trackers with a process of their own are given time to write what they have.
        time.sleep(3)
        before = os.getcwd()
        os.chdir(folder)
        try:
            return logged, TRACKERS[name].steps_kept()
        finally:
            os.chdir(before)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def has(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--child")
    parser.add_argument("--dies", action="store_true")
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.steps, options.dies)
    names = [n for n, kind in TRACKERS.items() if n == "nothing" or has(kind.module)]
    told = {name: [] for name in names}
    for _ in range(options.pairs):
        for name in names:
            told[name].append(measured(name, options.steps))
    print(
        f"{date.today()}, {processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(f"{options.steps} steps of ten floats, the median of {options.pairs} turns\n")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---|---|---|---|---|---|---|---|")
    base = statistics.median(run["loop"] for run in told["nothing"])
    for name in names[1:]:
        print(row(name, told[name], base, options.steps))
    return None


def row(name, runs, base, steps):
    calls = [sorted(run["calls"]) for run in runs]

    def middle(of):
        return statistics.median(map(of, calls)) * 1e6

    loop_share = statistics.median(run["loop"] for run in runs) / base - 1
    end = statistics.median(run["end"] for run in runs)
    size = statistics.median(run["bytes"] for run in runs) / (steps + min(200, steps))
    logged, kept = kept_after_kill(name)
    return (
        f"| {name} | {middle(statistics.median):.1f} µs | {middle(statistics.mean):.1f} µs "
        f"| {middle(lambda c: c[int(len(c) * 0.99)]):.0f} µs | {loop_share:+.1%} | {end:.2f} s "
        f"| {size:.0f} | {kept} of {logged} ({kept / logged:.1%}) |"
    )


if __name__ == "__main__":
    main()
