#!/usr/bin/env python3
"""The time of a variant's training step, beside the plain preset's and its twin in PyTorch.

    python studies/variants-step.py kat|cap|mezo|subspace|… [--preset tiny] [--rounds 5] [--workers 1]

Three are timed in turn, round after round, so that what else the machine does meets all of them: a run
of the preset as it is, one with the variant, and the variant's step in PyTorch, from
`studies/variants/NAME.py`. A step's time is the median of a run's `step_ms`, or of the twin's steps; what
is printed are the medians over the rounds. Wants torch, and `seismo` built for release.
"""

import argparse
import importlib
import json
import pathlib
import statistics
import subprocess
import sys
import time

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# The options of the run that each twin is of.
OPTIONS = {
    "gpt2": ["--architecture", "gpt2"],
    "llama": ["--architecture", "llama"],
    "kat": ["--feed-forward", "kat"],
    "cap": ["--update-cap", "0.01"],
    "lion": ["--optimizer", "lion", "--lr", "3e-4"],
    "mezo": ["--optimizer", "mezo", "--lr", "1e-4"],
    "subspace": ["--subspace", "1000"],
    "ssm": ["--mixer", "ssm"],
    "sparsity": ["--sparsity", "0.8"],
    "share": ["--share-parameters", "0.1"],
}
SIZES = {"tiny": (64, 2, 2, 64, 16), "small": (256, 6, 4, 256, 8), "base": (512, 8, 8, 512, 4)}
STEPS, WARMUP = 60, 10


def run(program: str, preset: str, workers: int, options: list[str], folder: pathlib.Path) -> float:
    """Milliseconds a step of `seismo train`."""
    session = folder / "step.seismo"
    for old in folder.glob("step*"):
        old.unlink() if old.is_file() else None
    command = [program, "train", "--headless", "--json", "--preset", preset, "--steps", str(STEPS),
               "--eval-every", "0", "--workers", str(workers), "--no-monitor", "--session", str(session)]
    output = subprocess.run(command + options, capture_output=True, text=True, check=True).stdout
    times = [told["step_ms"] for line in output.splitlines() if "step_ms" in (told := metrics(line))]
    return statistics.median(times[WARMUP:])


def metrics(line: str) -> dict:
    told = json.loads(line)
    return told.get("metrics", {})


def twin(step, batch: int, context: int) -> float:
    """Milliseconds a step in PyTorch."""
    times = []
    for _ in range(STEPS):
        windows = torch.randint(0, 256, (batch, context + 1))
        start = time.perf_counter()
        step(windows)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[WARMUP:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(OPTIONS))
    parser.add_argument("--preset", default="tiny", choices=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seismo", default=str(HERE.parent / ".build/release/seismo"))
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("."))
    given = parser.parse_args()
    torch.set_num_threads(given.workers)
    sizes = SIZES[given.preset]
    step = importlib.import_module(f"variants.{given.name}").step(*sizes)
    times: dict[str, list[float]] = {"plain": [], given.name: [], "PyTorch": []}
    for _ in range(given.rounds):
        for name, options in (("plain", []), (given.name, OPTIONS[given.name])):
            times[name].append(run(given.seismo, given.preset, given.workers, options, given.scratch))
        times["PyTorch"].append(twin(step, sizes[4], sizes[3]))
    plain, own, other = (statistics.median(values) for values in times.values())
    print(f"{given.name} on {given.preset}, {given.workers} workers: {own:.2f} ms a step, plain {plain:.2f} "
          f"({own / plain:.2f} of it), PyTorch {other:.2f} ({other / own:.2f} times as long)")


if __name__ == "__main__":
    main()
