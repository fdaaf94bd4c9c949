#!/usr/bin/env python3
"""Which invariances of a model go with a lower loss after it is fine-tuned on another language?

usage: invariance.py SEISMO FOLDER [--rates 1e-3,3e-3,1e-2] [--lengths 250,1000] [--widths 32,64]
                     [--seeds 0,1,2] [--tune-steps N] [--windows N] [--json]

Models of several widths, rates and lengths learn the built-in language; `inspect --invariance` tells how
alike their features stay under each change, mean over the layers above the embedding. Each is fine-tuned
on one other language and measured on held-out text of it. Told is Spearman's rank correlation of each
invariance, and of the held-out loss before, with the loss after: below 0 the invariance goes with a lower
one. FOLDER keeps runs and texts: what is there is not made again.
"""
import argparse, itertools, json, pathlib, statistics

from language import written
from program import program

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("folder")
parser.add_argument("--rates", default="1e-3,3e-3,1e-2")
parser.add_argument("--lengths", default="250,1000")
parser.add_argument("--widths", default="32,64")
parser.add_argument("--seeds", default="0,1,2")
parser.add_argument("--tune-steps", type=int, default=200)
parser.add_argument("--windows", type=int, default=64)
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
seismo = program(options.seismo, options.workers)

FOLDER = pathlib.Path(options.folder)


def row(width, rate, steps, seed):
    name = f"w{width}-lr{rate}-s{steps}-{seed}"
    origin = FOLDER / f"{name}.checkpoints"
    if not (origin / f"step-{int(steps):09}" / "run.json").exists():
        seismo("train", "--preset", "tiny", "--width", width, "--lr", rate, "--steps", steps, "--seed", seed,
               "--headless", "--session", str(FOLDER / f"{name}.seismo"))
    train, held = map(str, written(FOLDER, 1))
    tuned = FOLDER / f"{name}-tuned.checkpoints"
    if not (tuned / f"step-{options.tune_steps:09}" / "run.json").exists():
        seismo("finetune", str(origin), "--data", train, "--steps", str(options.tune_steps), "--headless",
               "--session", str(FOLDER / f"{name}-tuned.seismo"))
    told = json.loads(seismo("inspect", str(origin), "--invariance", "--json", "--windows",
                             str(options.windows)))
    before = json.loads(seismo("eval", str(origin), "--json"))["loss"]
    after = json.loads(seismo("eval", str(tuned), "--data", held, "--json"))["loss"]
    changes = {change["change"]: statistics.mean(layer["invariance"] for layer in change["layers"][1:])
               for change in told["invariance"]["changes"]}
    return {"run": name, "seed": int(seed), "before": before, "after": after, "invariance": changes}


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    for place, index in enumerate(order):
        found[index] = place
    return found


def spearman(xs, ys):
    return statistics.correlation(ranks(xs), ranks(ys))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    grid = itertools.product(*(text.split(",") for text in (options.widths, options.rates,
                                                              options.lengths, options.seeds)))
    rows = [row(*cell) for cell in grid]
    seeds = sorted({row["seed"] for row in rows})
    if options.json:
        return print(json.dumps(rows, indent=1))
    print("| what | rank correlation with the loss after | by seed |")
    print("|---|---|---|")
    measures = {"held-out loss before": lambda row: row["before"]}
    for change in rows[0]["invariance"]:
        measures[f"invariance, {change}"] = lambda row, change=change: row["invariance"][change]
    for name, measure in measures.items():
        def over(own):
            return spearman([measure(row) for row in own], [row["after"] for row in own])
        each = ", ".join(f"{over([row for row in rows if row['seed'] == seed]):.2f}" for seed in seeds)
        print(f"| {name} | {over(rows):.2f} | {each} |")


main()
