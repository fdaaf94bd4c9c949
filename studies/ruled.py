"""Runs with rules of `run.toml`, one `seismo train` after another, told as a sweep tells its cells."""

import itertools
import json
import subprocess
import sys
import tomllib

from measures import course, group_of, judged, mean_and_spread, rate

# Findings whose picture is the loss of some runs over their steps.
SHOWN = {
    "spike": [
        {"optimizer": "adamw", "grad-clip": "0.0", "adam-beta2": "0.999"},
        {"optimizer": "stable-adamw", "adam-beta2": "0.999"},
    ],
    "rewind": [
        {"rule": "none", "data": "perl-doc-planted.txt"}, {"rule": "rewind good"},
        {"rule": "rewind good skip 100"},
    ],
}


def session(table, wanted):
    """Of the first cell with these options."""
    return next(
        cell["session"] for cell in table["cells"]
        if all(cell["options"].get(name) == value for name, value in wanted.items()))


def is_ruled(grid):
    return any("when" in table for table in tomllib.loads(grid.read_text()).get("grid", []))


def train(grid, name, work, program):
    whole = tomllib.loads(grid.read_text())
    common = {key: value for key, value in whole.items() if key != "grid"}
    cells = []
    for table in whole["grid"]:
        rules = table.get("when", [])
        given = {**common, **{key: value for key, value in table.items() if key != "when"}}
        for options in product(given):
            place = f"{name}/{len(cells) + 1:04}.seismo"
            cells.append(cell(options, rules, place, work, program))
    return {"cells": cells, "sensitivity": groups(cells)}


def product(given):
    """Every combination of the lists."""
    lists = [value if isinstance(value, list) else [value] for value in given.values()]
    return [dict(zip(given, values)) for values in itertools.product(*lists)]


def cell(options, rules, place, work, program):
    (work / place).parent.mkdir(parents=True, exist_ok=True)
    told = course_of(place, work, program) if (work / place).exists() else {}
    if len(told.get("loss", [])) < options["steps"]:
        begin(options, rules, place, work, program)
        told = course_of(place, work, program)
    held = [loss for _, loss in told["loss/eval"]]
    steps = told["loss"][-1][0] + 1
    return {
        "session": place,
        "options": {**{key: word(value) for key, value in options.items()}, "rule": words(rules)},
        "state": "finished" if steps == options["steps"] else "diverged", "steps": steps,
        "final_loss": told["loss"][-1][1], "eval_loss": held[-1], "initial_loss": held[0],
        "parameters": 12 * options["layers"] * options["width"] ** 2,
        "tokens": steps * options["batch"] * options["context"],
        "seconds": sum(value for _, value in told["step_ms"]) / 1000,
    }


def begin(options, rules, place, work, program):
    """Trains a run anew; one that was ended before goes for nothing."""
    for path in work.glob(place.replace(".seismo", "*")):
        subprocess.run(["rm", "-rf", str(path)], check=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    for rule in rules:
        lines += ["[[when]]", *(f"{key} = {json.dumps(value)}" for key, value in rule.items())]
    config = work / place.replace(".seismo", ".toml")
    config.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [program, "train", "--config", str(config), "--session", place, "--headless"], cwd=work,
        capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"run: {config}: {done.stderr.strip()}")


def course_of(place, work, program):
    """The run's metrics; none of a damaged one."""
    done = subprocess.run(
        [program, "export", place, "--format", "csv", "--long"], cwd=work, capture_output=True,
        text=True)
    if done.returncode != 0:
        return {}
    return course(done.stdout)


def word(value):
    """As a sweep tells a value."""
    return str(value) if not isinstance(value, bool) else "on" if value else "off"


def words(rules):
    return ", ".join(command for rule in rules for command in rule["commands"]) or "none"


def groups(cells):
    """As a sweep's: of one rate, so that there is no sensitivity but 0."""
    found = []
    for first in cells:
        options = group_of(first)
        if any(group["options"] == options for group in found):
            continue
        same = [cell for cell in cells if group_of(cell) == options]
        mean, spread = mean_and_spread([judged(cell) for cell in same])
        found.append({
            "options": options, "parameters": first["parameters"], "value": 0.0,
            "best_lr": rate(first), "best_loss": mean, "curve": [[rate(first), mean, spread]],
            "seeds": len(same)})
    return found
