#!/usr/bin/env python3
"""What a student gains from a larger teacher's outputs, with attention and with state spaces.

usage: distil.py SEISMO TEXT FOLDER [--weights 0,0.5,0.9] [--seeds 1,2,3] [--steps N] [--teacher-steps N]

A teacher of width 128 learns TEXT; students of width 32 learn the same for fewer steps, from the bytes alone
and with a part of their loss from the teacher's outputs. Told is their held-out loss of the bytes, mean and
deviation over seeds. FOLDER keeps runs: what is there is not made again.
"""
import argparse, pathlib, statistics, subprocess

from program import program

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("text")
parser.add_argument("folder")
parser.add_argument("--weights", default="0,0.5,0.9")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--steps", type=int, default=400)
parser.add_argument("--teacher-steps", type=int, default=1500)
parser.add_argument("--workers", type=int, default=2)
options = parser.parse_args()
seismo = program(options.seismo, options.workers)

FOLDER = pathlib.Path(options.folder)
WEIGHTS, SEEDS = options.weights.split(","), options.seeds.split(",")
SHAPES = {"attention": [], "state spaces": ["--mixer", "ssm"]}


def trained(name, steps, *words):
    """The checkpoint of a run of so many steps."""
    checkpoint = FOLDER / f"{name}.checkpoints" / f"step-{steps:09d}"
    if not checkpoint.exists():
        seismo("train", "--headless", "--preset", "tiny", "--data", options.text, "--steps", str(steps),
               "--eval-every", str(steps), "--eval-windows", "128", "--batch", "8",
               "--session", str(FOLDER / f"{name}.seismo"), *words)
    return checkpoint


def loss(checkpoint):
    """The held-out loss of the run's own end, on the part of the text that no run has trained on."""
    session = str(checkpoint.parent).removesuffix(".checkpoints") + ".seismo"
    told = subprocess.run([options.seismo, "export", session, "--format", "csv", "--long"],
                          capture_output=True, text=True, check=True).stdout
    rows = [line.split(",") for line in told.splitlines()]
    return float([row for row in rows if "loss/eval" in row][-1][-1])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    teacher = trained("teacher", options.teacher_steps, "--width", "128", "--heads", "4", "--lr", "3e-3")
    print(f"The teacher's held-out loss: {loss(teacher):.3f}\n")
    print("| | " + " | ".join(f"weight {weight}" for weight in WEIGHTS) + " |\n|" + " --- |" * (len(WEIGHTS) + 1))
    for shape, words in SHAPES.items():
        cells = []
        for weight in WEIGHTS:
            distil = [] if float(weight) == 0 else ["--distil", str(teacher), "--distil-weight", weight]
            losses = [
                loss(trained(f"{shape.replace(' ', '-')}-{weight}-{seed}", options.steps, "--width", "32", "--heads", "2",
                             "--layers", "2", "--lr", "1e-2", "--warmup", "20", "--seed", seed, *words, *distil))
                for seed in SEEDS]
            cells.append(f"{statistics.mean(losses):.3f} ±{statistics.stdev(losses):.3f}")
        print(f"| {shape} | " + " | ".join(cells) + " |")


main()
