#!/usr/bin/env python3
"""Fine-tuning by losses alone: which weights to move, and how far it comes against gradients.

usage: mezo.py SEISMO FOLDER [--rates 1e-3,3e-3,1e-2,3e-2] [--seeds 0,1,2] [--steps N] [--json]

Models that learned the built-in language are fine-tuned, whole, on one other language: by AdamW with its
usual rate, by MeZO (every weight moves), by Sparse MeZO (the smallest quarter of each tensor's) and by a
quarter drawn at random. A step of MeZO's takes two losses and no gradient, one of AdamW's about three.
Told is the held-out loss, mean and deviation over seeds, for each rate, ▲ with how many seeds ran off.
FOLDER keeps runs and texts: what is there is not made again.
"""
import argparse, json, pathlib, statistics

from language import written
from program import program

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("folder")
parser.add_argument("--rates", default="1e-3,3e-3,1e-2,3e-2")
parser.add_argument("--seeds", default="0,1,2")
parser.add_argument("--base-steps", type=int, default=500)
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
seismo = program(options.seismo, options.workers)

FOLDER = pathlib.Path(options.folder)
RATES = options.rates.split(",")
SEEDS = [int(seed) for seed in options.seeds.split(",")]
MASKS = {
    "MeZO, all weights": ["--mezo-sparsity", "0"],
    "the smallest quarter": ["--mezo-sparsity", "0.75", "--mezo-mask", "small"],
    "a random quarter": ["--mezo-sparsity", "0.75", "--mezo-mask", "random"],
}


def base(seed):
    folder = FOLDER / f"base-{seed}.checkpoints"
    if not folder.exists():
        seismo("train", "--headless", "--preset", "tiny", "--steps", str(options.base_steps), "--lr", "1e-2",
               "--seed", str(seed), "--eval-every", "0", "--session", str(FOLDER / f"base-{seed}.seismo"))
    return folder / f"step-{options.base_steps:09d}"


def loss(checkpoint, held):
    return json.loads(seismo("eval", str(checkpoint), "--data", held, "--json"))["loss"]


def tuned(name, seed, steps, words, data, held):
    """The held-out loss after a fine-tuning; None where it ran off."""
    name = name.replace(",", "").replace(" ", "-")
    checkpoint, lost = FOLDER / f"{name}.checkpoints" / f"step-{steps:09d}", FOLDER / f"{name}.lost"
    if lost.exists():
        return None
    if not checkpoint.exists():
        try:
            seismo("finetune", str(base(seed)), "--method", "full", "--data", data, "--headless",
                   "--steps", str(steps), "--seed", str(seed), "--eval-every", "0",
                   "--session", str(FOLDER / f"{name}.seismo"), *words)
        except AssertionError as error:
            if "the run diverged" not in str(error):
                raise
            (FOLDER / f"{name}.seismo").unlink(missing_ok=True)
            lost.touch()
            return None
    return loss(checkpoint, held)


def cell(values):
    """Mean and deviation of the seeds that did not run off, and how many did."""
    kept = [value for value in values if value is not None]
    lost = f" ▲{len(values) - len(kept)}" if len(kept) < len(values) else ""
    if not kept:
        return lost.strip()
    spread = f" ±{statistics.stdev(kept):.3f}" if len(kept) > 1 else ""
    return f"{statistics.mean(kept):.3f}{spread}{lost}"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    data, held = map(str, written(FOLDER, 1))
    table = {"before": {"-": [loss(base(seed), held) for seed in SEEDS]},
             "AdamW, a tenth of the steps": {
                 "-": [tuned(f"adamw-{seed}", seed, options.steps // 10, [], data, held) for seed in SEEDS]}}
    for mask, words in MASKS.items():
        table[mask] = {
            rate: [tuned(f"{mask}-{rate}-{seed}", seed, options.steps,
                         ["--optimizer", "mezo", "--lr", rate, *words], data, held) for seed in SEEDS]
            for rate in RATES}
    if options.json:
        print(json.dumps(table))
        return
    print("| | " + " | ".join(["its own rate", *RATES]) + " |\n" + "| --- " * (len(RATES) + 2) + "|")
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(cell(row[key]) if key in row else "" for key in ["-", *RATES]) + " |")


main()
