#!/usr/bin/env python3
"""Branches of a run on texts of their own, merged: is one model better on all of them than each is?

usage: merge.py SEISMO FOLDER [--parts 2,3,4] [--seeds 0,1,2] [--steps N] [--branch-steps N] [--json]

A run on the built-in language is the origin. Its last checkpoint is fine-tuned, whole, on other languages
of the same kind: invented words, by Zipf's law, of which few like to follow which. Each method
merges the first n branches; losses are over held-out text of all n. A pcb with --search chooses scales by
the first half of that text, and every loss here is of the second half. FOLDER keeps runs and texts: what
is there is not made again.
"""
import argparse, json, pathlib, statistics

from language import written
from program import program

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("folder")
parser.add_argument("--parts", default="2,3,4")
parser.add_argument("--seeds", default="0,1,2")
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--branch-steps", type=int, default=300)
parser.add_argument("--preset", default="tiny")
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--windows", type=int, default=128)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
seismo = program(options.seismo, options.workers)

PARTS = [int(n) for n in options.parts.split(",")]
SEEDS = [int(seed) for seed in options.seeds.split(",")]
FOLDER = pathlib.Path(options.folder)
METHODS = {
    "mean": ["--method", "mean"],
    "arithmetic 0.3": ["--method", "arithmetic"],
    "arithmetic 0.6": ["--method", "arithmetic", "--scale", "0.6"],
    "ties": ["--method", "ties"],
    "pcb": ["--method", "pcb"],
    "pcb, a half kept": ["--method", "pcb", "--keep", "0.5"],
    "pcb, searched": ["--method", "pcb", "--search", "100"],
}


def made(number):
    return written(FOLDER, number, (f"text-{number}", f"held-{number}"))


def trained(seed):
    """The origin's last checkpoint and the branches' folders."""
    origin = FOLDER / f"origin-{seed}.checkpoints" / f"step-{options.steps:09}"
    if not (origin / "run.json").exists():
        seismo("train", "--preset", options.preset, "--seed", str(seed), "--steps", str(options.steps),
               "--headless", "--session", str(FOLDER / f"origin-{seed}.seismo"))
    branches = []
    for number in range(max(PARTS)):
        name = f"branch-{seed}-{number}"
        folder = FOLDER / f"{name}.checkpoints"
        if not (folder / f"step-{options.branch_steps:09}" / "run.json").exists():
            seismo("finetune", str(origin), "--data", str(made(number)[0]), "--seed", str(seed),
                   "--steps", str(options.branch_steps), "--headless", "--session",
                   str(FOLDER / f"{name}.seismo"))
        branches.append(str(folder))
    return branches


def rows(seed):
    branches, found = trained(seed), []
    for n in PARTS:
        data = [word for number in range(n) for word in ("--data", str(halved(number)))]
        for name, words in METHODS.items():
            texts = data
            if "--search" in words:
                texts = [word for number in range(n) for word in ("--data", str(made(number)[1]))]
            output = FOLDER / "merged"
            if output.exists():
                for path in output.iterdir():
                    path.unlink()
                output.rmdir()
            told = json.loads(seismo("merge", *branches[:n], *words, *texts, "--output", str(output),
                                     "--windows", str(options.windows), "--json"))
            means = {model["model"]: model["mean"] for model in told["losses"]["models"]}
            found.append({
                "seed": seed, "parts": n, "method": name, "merged": means["merged"], "base": means["base"],
                "best_part": min(loss for model, loss in means.items() if model.startswith("part")),
                "signs": told["all"]["signs"], "cosine": told["all"]["cosine"], "scales": told["scales"]})
    return found


def halved(number):
    """The second half of a held-out text: what a search does not choose by."""
    half = FOLDER / f"half-{number}"
    if not half.exists():
        text = made(number)[1].read_text()
        half.write_text(text[len(text) // 2:])
    return half


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = [row for seed in SEEDS for row in rows(seed)]
    if options.json:
        return print(json.dumps(found, indent=1))
    print("| branches | method | merged | spread | best branch | origin | below the best, seeds |")
    print("|---|---|---|---|---|---|---|")
    for n in PARTS:
        for name in METHODS:
            own = [row for row in found if row["parts"] == n and row["method"] == name]
            losses = [row["merged"] for row in own]
            better = sum(row["merged"] < row["best_part"] for row in own)
            print(f"| {n} | {name} | {statistics.mean(losses):.4f} | {max(losses) - min(losses):.4f} "
                  f"| {statistics.mean(row['best_part'] for row in own):.4f} "
                  f"| {statistics.mean(row['base'] for row in own):.4f} | {better} of {len(own)} |")


main()
