#!/usr/bin/env python3
"""Training for texts that are judged well (ReMax): how far the reward climbs, how far the model
goes from its start, and what the greedy baseline is good for.

usage: reward.py SEISMO FOLDER [--seeds 0,1,2] [--base-steps N] [--steps N] [--still N] [--lr X]

Tiny models that learned the built-in language are trained, whole, for each of four rewards. What is
told of a model as it stands is measured by a run whose rate is 0, over all texts of its steps.
Without a baseline is the same run with a program that judges the greedy text 0 (`judge.py`). All
is told as mean and range over seeds. FOLDER keeps runs: what is there is not made again.
"""

import argparse
import csv
import io
import itertools
import json
import pathlib
import re
import shlex
import statistics
import subprocess
import sys

from program import program

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("folder")
parser.add_argument("--seeds", default="0,1,2")
parser.add_argument("--base-steps", type=int, default=1000)
parser.add_argument("--steps", type=int, default=300)
parser.add_argument("--still", type=int, default=100)
parser.add_argument("--lr", default="1e-3")
parser.add_argument("--workers", type=int, default=2)
options = parser.parse_args()
seismo = program(options.seismo, options.workers)

FOLDER = pathlib.Path(options.folder)
SEEDS = [int(seed) for seed in options.seeds.split(",")]


def judged(*words):
    """The reward of `judge.py` with these words."""
    judge = pathlib.Path(__file__).parent / "judge.py"
    return f"command:{shlex.join([sys.executable, str(judge.resolve()), *words])}"


REWARDS = {
    "words": "words",
    "facts": "facts",
    "no full stop": "regex:^[^.]*$",
    "commas": judged("commas"),
}
PROGRAMS = {"commas": "commas", "no commas": "no-commas", "no full stop, by a program": "stops"}
LENGTHS = {"short": r"regex:^.{1,16}\.$", "long": r"regex:^[^.]{32,47}\.$"}
# At a weight of 0 the divergence is not measured.
WEIGHTS = {"0": "1e-9", "0.05": "0.05", "0.5": "0.5"}
PROMPTS = ["kese mume ", "ri gotafo.", "gi gi "]


def base(seed):
    checkpoint = FOLDER / f"base-{seed}.checkpoints" / f"step-{options.base_steps:09}"
    if not (checkpoint / "run.json").exists():
        words = f"train --preset tiny --steps {options.base_steps} --seed {seed} --eval-every 0"
        seismo(*words.split(), "--headless", "--session", str(FOLDER / f"base-{seed}.seismo"))
    return checkpoint


def slug(title):
    return title.replace(",", "").replace(" ", "-")


def run(name, start, seed, reward, weight, steps, rate, *others):
    """The last checkpoint of a run that is rewarded."""
    checkpoint = FOLDER / f"{name}-{seed}.checkpoints" / f"step-{steps:09}"
    if not (checkpoint / "run.json").exists():
        for left in FOLDER.glob(f"{name}-{seed}.seismo*"):
            left.unlink()
        words = f"--steps {steps} --lr {rate} --reward-divergence {weight} --seed {seed}"
        session = ["--headless", "--session", str(FOLDER / f"{name}-{seed}.seismo")]
        words = [*words.split(), "--eval-every", "0", *others, *session]
        seismo("finetune", str(start), "--reward", reward, *words)
    return checkpoint


def trained(title, seed, reward, weight="0.05", *others):
    name = "".join([f"{slug(title)}-{weight}", *others[1:2]])
    return run(
        name, base(seed), seed, reward, WEIGHTS[weight], options.steps, options.lr, *others
    )


def standing(title, start, seed, reward, *others):
    """What a model writes as it stands: a run whose rate is 0."""
    name = f"still-{slug(title)}"
    return course(run(name, start, seed, reward, "0", options.still, "0", *others))


def course(checkpoint):
    """Each metric's values over the steps of the run."""
    session = str(checkpoint.parent).removesuffix(".checkpoints") + ".seismo"
    words = [options.seismo, "export", session, "--format", "csv", "--long"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = {}
    for row in csv.DictReader(io.StringIO(told)):
        found.setdefault(row["metric"], []).append(float(row["value"]))
    return found


def end(values):
    """The mean over the last sixth of a run."""
    return statistics.mean(values[-len(values) // 6 :])


def squares(course):
    """Mean square of what texts are weighed by: reward, less its mean, less the greedy text's."""
    names = ["reward", "reward/baseline", "reward/variance", "reward/advantage_variance"]
    plain, greedy = [], []
    for r, b, variance, advantage in zip(*(course[name] for name in names)):
        plain.append(variance + r * r)
        greedy.append(advantage + (r - b) ** 2)
    mean = statistics.mean(course["reward"])
    return [statistics.mean(plain), statistics.mean(plain) - mean**2, statistics.mean(greedy)]


def gradient(course):
    """Mean squared norm of a step's gradient."""
    return statistics.mean(norm * norm for norm in course["grad_norm"])


def written(checkpoint):
    """Words a text, and how many different ones there are in all texts."""
    texts = []
    for prompt in PROMPTS:
        words = ["--prompt", prompt, "--n", "64", "--tokens", "48", "--json"]
        for line in seismo("sample", str(checkpoint), *words).splitlines():
            texts.append(re.findall("[a-z]+", json.loads(line)["text"]))
    return [statistics.mean(map(len, texts)), len({word for text in texts for word in text})]


def loss(checkpoint):
    """The held-out loss on the built-in language."""
    return json.loads(seismo("eval", str(checkpoint), "--json"))["loss"]


def cells(rows):
    """Mean and range over seeds, column by column."""
    told = []
    for values in zip(*rows):
        three = statistics.mean(values), min(values), max(values)
        told.append("{} ({} to {})".format(*(f"{value:.3g}" for value in three)))
    return told


def table(columns, lines):
    print("| | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for title, row in lines:
        print(f"| {title} | " + " | ".join(row) + " |")
    print(flush=True)


def climbs():
    """Each reward at the usual weight."""
    names = ["reward", "reward/baseline"]
    for title, reward in REWARDS.items():
        rows = []
        for seed in SEEDS:
            start, tuned = base(seed), trained(title, seed, reward)
            before, told = standing(f"{title} before", start, seed, reward), course(tuned)
            row = [[statistics.mean(before[name]), end(told[name])] for name in names]
            rows.append([*row[0], *row[1], end(told["reward/divergence"])])
        yield title, cells(rows)


def texts():
    """What the trained models write, and what they lost of the language."""
    starts = [base(seed) for seed in SEEDS]
    yield "before", cells([[loss(start), *written(start)] for start in starts])
    for title, reward in REWARDS.items():
        tuned = [trained(title, seed, reward) for seed in SEEDS]
        yield title, cells([[loss(model), *written(model)] for model in tuned])


def pulls():
    """What the weight of the divergence trades."""
    for title, weight in itertools.product(["facts", "no full stop"], WEIGHTS):
        rows = []
        for seed in SEEDS:
            tuned = trained(title, seed, REWARDS[title], weight)
            told = course(tuned)
            rows.append([end(told["reward"]), end(told["reward/divergence"]), loss(tuned)])
        yield f"{title}, {weight}", cells(rows)


def bounds():
    """A reward without an end of its own, with and without the bound of what a text counts."""
    for bound in ["5", "0"]:
        rows = []
        for seed in SEEDS:
            words = ["--reward-clip", bound]
            tuned = trained("commas, counted", seed, judged("count"), "0.05", *words)
            told = course(tuned)
            rows.append([end(told["reward"]), end(told["reward/divergence"]), loss(tuned)])
        yield f"bound {bound}" if bound != "0" else "no bound", cells(rows)


def lengths():
    """Texts that end with a full stop, rewarded for coming to it early, and late."""
    names = ["reward", "reward/length"]
    for title, reward in LENGTHS.items():
        rows = []
        for seed in SEEDS:
            start, ended = base(seed), ["--reward-end", "."]
            before = standing(title, start, seed, reward, *ended)
            told = course(trained(title, seed, reward, "0.05", *ended))
            row = [[statistics.mean(before[name]), end(told[name])] for name in names]
            rows.append([*row[0], *row[1], end(told["reward/divergence"])])
        yield title, cells(rows)


def model(when, title, seed, reward):
    return base(seed) if when == "before" else trained(title, seed, reward)


def weighings():
    """What a text is weighed by, before and after."""
    for title, reward in REWARDS.items():
        for when in ["before", "after"]:
            rows = []
            for seed in SEEDS:
                start = model(when, title, seed, reward)
                rows.append(squares(standing(f"{title} {when}", start, seed, reward)))
            yield f"{title}, {when}", cells(rows)


def gradients():
    """The gradients of the same texts with and without the baseline."""
    for title, words in PROGRAMS.items():
        usual, plain = judged(words), judged(words, "--no-baseline")
        for when in ["before", "after"]:
            rows = []
            for seed in SEEDS:
                start = model(when, title, seed, usual)
                with_it = gradient(standing(f"{title} {when}", start, seed, usual))
                without = gradient(standing(f"{title} {when} plain", start, seed, plain))
                rows.append([without, with_it, with_it / without])
            yield f"{title}, {when}", cells(rows)


def ends():
    """What comes of training with and without the baseline."""
    names = ["reward", "reward/divergence"]
    for title, words in PROGRAMS.items():
        rows = []
        for seed in SEEDS:
            usual = course(trained(title, seed, judged(words)))
            plain = course(trained(f"{title} plain", seed, judged(words, "--no-baseline")))
            rows.append([end(told[name]) for name in names for told in (plain, usual)])
        yield title, cells(rows)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    table(["reward before", "after", "greedy before", "after", "KL, nats a byte"], climbs())
    table(["held-out loss", "words a text", "different words"], texts())
    table(["reward", "KL, nats a byte", "held-out loss"], pulls())
    table(["reward", "KL, nats a byte", "held-out loss"], bounds())
    table(["reward before", "after", "bytes before", "after", "KL, nats a byte"], lengths())
    table(["reward", "less its mean", "less the greedy text's"], weighings())
    table(["without", "with", "with over without"], gradients())
    table(["reward without", "with", "KL without", "with"], ends())


main()
