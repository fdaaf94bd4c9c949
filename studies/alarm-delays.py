#!/usr/bin/env python3
"""How late alarms come, how often they come for nothing, and whether one is called off too early.

    python3 studies/alarm-delays.py [.build/release/seismo] [RUNS]

Trains troubled runs, one of each kind, and prints for each when its trouble began, which alarm told
it, how many steps later, and what 'calm' was said of it while the trouble went on. A trouble begins at
the step of the injected cause, or where nothing is injected at the first step at which a metric passes
the level that the table names. Then RUNS (10) healthy runs of 2,000 steps, dense and mixture, whose
alarms are false ones, all. Ends with 1 where a trouble was not told, was called off, or a healthy run
alarmed. The tables are those of BENCHMARKS.md.
"""

import json
import os
import subprocess
import sys
import tempfile

SEISMO = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/seismo")
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 10


def at(step, command):
    return f'[[at]]\nstep = {step}\ncommand = "{command}"\n'


def letters(folder):
    """Letters without any order: all that can be learnt of them is by heart."""
    x, text = 1, ""
    for _ in range(3000):
        x = x * 16807 % 2147483647
        text += chr(97 + x % 26)
    path = os.path.join(folder, "letters")
    with open(path, "w") as file:
        file.write(text)
    return path


class Run:
    """What a run printed: its metrics by step and its events."""

    def __init__(self, folder, options, script=""):
        config = os.path.join(folder, "run.toml")
        session = os.path.join(folder, "run")
        with open(config, "w") as file:
            file.write(script)
        # What a person has settled for all runs is not to count here.
        environment = dict(os.environ, XDG_CONFIG_HOME=folder)
        result = subprocess.run(
            [SEISMO, "train", "--workers", "1", "--headless", "--json", "--config", config]
            + ["--session", session + ".seismo"] + options,
            capture_output=True, text=True, env=environment)
        os.remove(session + ".seismo")
        subprocess.run(["rm", "-rf", session + ".checkpoints"])
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.events = [line for line in lines if "event" in line]
        self.metrics = [(line["step"], line["metrics"]) for line in lines if "metrics" in line]

    def alarms(self, names=None):
        found = [event for event in self.events if event["event"] == "alarm"]
        return [event for event in found if names is None or event["name"] in names]

    def first(self, holds):
        """The first step whose metrics satisfy `holds`."""
        return next((step for step, metrics in self.metrics if holds(metrics)), None)

    def rises(self, nats):
        """The first step whose loss is so far above the lowest before it."""
        lowest = float("inf")
        for step, metrics in self.metrics:
            loss = metrics.get("loss")
            if not isinstance(loss, (int, float)) or loss > lowest + nats:
                return step
            lowest = min(lowest, loss)
        return None


def logits(level):
    return lambda run: run.first(lambda metrics: (metrics.get("attention_logit_max") or 0) > level)


def injected(step):
    return lambda run: step


def lowest_held_out(run):
    values = [(m["loss/eval"], step) for step, m in run.metrics if m.get("loss/eval") is not None]
    return min(values)[1]


def drift(nats):
    def onset(run):
        start = abs(run.metrics[0][1]["log_z"])
        return run.first(lambda metrics: abs(metrics["log_z"]) > start + nats)

    return onset


LEVEL = ["loss-above-best", "loss-diverged"]
LOGITS = ["attention-logits-high", "attention-logits-diverging"]
EXPERTS = ["dead-expert", "overloaded-expert"]
TINY = ["--preset", "tiny", "--lr", "3e-3", "--steps", "2000"]


def troubles(text):
    """What is done, how the start is known, the run, its start, and the rules that are to tell it."""
    plain = ["--data", text, "--preset", "tiny", "--eval-fraction", "0.2"]
    return [
        ("rate 0.03, dense", "logits above 1e3", ["--preset", "tiny", "--lr", "0.03"], "",
         logits(1e3), LOGITS),
        ("rate 0.1 from the first step (no warm-up)", "logits above 1e3",
         ["--preset", "tiny", "--lr", "0.1", "--warmup", "0", "--steps", "1000"], "",
         logits(1e3), LOGITS),
        ("rate 1.0, dense", "loss 1 nat above its lowest",
         ["--preset", "tiny", "--lr", "1", "--steps", "600"], "",
         lambda run: run.rises(1), LEVEL + ["loss-spike"]),
        ("rate 1.0, mixture", "loss 1 nat above its lowest", ["--lr", "1", "--steps", "600"], "",
         lambda run: run.rises(1), LEVEL + ["loss-spike"]),
        ("experts without balance loss", "the first step", ["--moe-aux-loss", "0", "--steps", "1000"],
         "", injected(0), EXPERTS),
        ("spike: rate times 300 for 5 steps", "injected", TINY,
         at(700, "set lr.multiplier 300") + at(705, "set lr.multiplier 1"),
         injected(700), ["loss-spike"]),
        ("late rise: rate times 20 from step 800", "injected", TINY,
         at(800, "set lr.multiplier 20"), injected(800), LEVEL + ["loss-spike"]),
        ("slow rise: weight decay 1e-2 from step 800", "injected", TINY,
         at(800, "set weight_decay 0.01"), injected(800), LEVEL),
        ("divergence: rate times 1000 from step 800", "injected", TINY,
         at(800, "set lr.multiplier 1000"), injected(800), LEVEL + ["loss-spike"]),
        ("stands still: rate times 0 from step 300", "injected", TINY,
         at(300, "set lr.multiplier 0"), injected(300), ["no-progress"]),
        ("rate 1e-9", "the first step", ["--preset", "tiny", "--lr", "1e-9", "--steps", "1000"], "",
         injected(0), ["no-progress"]),
        ("learns by heart: 3,000 letters", "lowest held-out loss",
         plain + ["--steps", "400", "--eval-every", "20", "--eval-windows", "4"], "",
         lowest_held_out, ["held-out-loss-rising"]),
        ("log Z drifts: the same, longer", "log Z 5 nats from its start", plain + ["--steps", "500"],
         "", drift(5), ["log-z-drift"]),
        ("Adam's ε 1e-3 from step 300", "injected", TINY, at(300, "set adam_eps 1e-3"),
         injected(300), ["gradient-near-epsilon"]),
        ("not finite: rate 1000 without clipping", "the first step",
         ["--preset", "tiny", "--lr", "1000", "--grad-clip", "0", "--steps", "50"], "",
         injected(0), ["not-finite"]),
    ]


def called_off(run, names, onset):
    """What was called calm of the trouble, with the loss's level against that of before."""
    words = []
    for event in run.events:
        if event["event"] == "calm" and event["name"] in names:
            words.append(f"{event['step']:,} ({event['text'].split(':')[-1].strip()})")
    return "; ".join(words)


def print_troubles(folder):
    print("| trouble | begins | at step | alarm | at step | after | calm at |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for words, begins, options, script, start, names in troubles(letters(folder)):
        run = Run(folder, options, script)
        onset = start(run)
        told = run.alarms(names)
        if not told or onset is None:
            missed += 1
            print(f"| {words} | {begins} | {onset} | NOT TOLD | | | |")
            continue
        first = told[0]
        calm = called_off(run, [event["name"] for event in told], onset)
        print(f"| {words} | {begins} | {onset:,} | `{first['name']}` | {first['step']:,} "
              f"| {first['step'] - onset:,} | {calm or '–'} |", flush=True)
    return missed


def print_healthy(folder):
    print("\n| healthy runs of 2,000 steps | runs | false alarms |")
    print("|---|---|---|")
    total = 0
    for words, options in [
        ("dense: tiny, rate 3e-3", ["--preset", "tiny", "--lr", "3e-3"]),
        ("mixture: moe-tiny, rate 1e-2, balance loss 0.01", ["--preset", "moe-tiny"]),
    ]:
        alarms = []
        for seed in range(1, RUNS + 1):
            run = Run(folder, options + ["--steps", "2000", "--seed", str(seed)])
            alarms += [(seed, event["step"], event["text"]) for event in run.alarms()]
        total += len(alarms)
        print(f"| {words} | {RUNS} | {len(alarms)} |", flush=True)
        for seed, step, text in alarms:
            print(f"seed {seed}, step {step}: {text}", file=sys.stderr)
    return total


def main():
    with tempfile.TemporaryDirectory() as folder:
        missed = print_troubles(folder)
        false = print_healthy(folder)
    sys.exit(1 if missed or false else 0)


if __name__ == "__main__":
    main()
