"""What findings look at besides the loss: numbers of each cell, and tables of them."""

import collections
import csv
import io
import math
import re

# Steps from the end of a run over which a metric is taken, as a share of all.
END = 0.2
# The planted batches of studies/run lie from this step on.
PLANT = 200


def settled(metric):
    """The metric's mean over the last fifth of the steps and over layers."""
    def measure(course, steps):
        values = [
            value for name in course if re.sub(r"(/\d+)+$", "", name) == metric
            for step, value in course[name] if step >= (1 - END) * steps]
        return sum(values) / len(values) if values else None
    return measure


def worst_after_plant(course, steps):
    """By how much the held-out loss rises at most over what it was before the planted batches."""
    before = [loss for step, loss in course["loss/eval"] if step <= PLANT][-1]
    return max(loss for step, loss in course["loss/eval"] if step > PLANT) - before


def steps_to_recover(course, steps):
    """Steps after the plant until the held-out loss is below what it was before; all that are left where
    it never is."""
    before = [loss for step, loss in course["loss/eval"] if step <= PLANT][-1]
    better = [step for step, loss in course["loss/eval"] if step > PLANT and loss < before]
    return min(better, default=steps) - PLANT


def of_cell(key):
    """A number that the sweep tells of a cell itself."""
    return key


# Title and measure; metrics are asked for by the titles' own names where they are metrics.
MEASURES = {
    "zloss": {"log_z": settled("log_z"), "output_logit_mean": settled("output_logit_mean")},
    "epsilon": {"grad_rms": of_cell("grad_rms")},
    "muon": {"attention_logit_max": of_cell("attention_logit_max")},
    "depth": {"attention_logit_max": of_cell("attention_logit_max")},
    "families": {"attention_logit_max": of_cell("attention_logit_max")},
    "update-cap": {"attention_logit_max": of_cell("attention_logit_max")},
    "spike": {
        "rise of the held-out loss": worst_after_plant,
        "steps until it is back": steps_to_recover,
    },
    "balancing": {
        "expert_max_violation": settled("expert_max_violation"),
        "expert_max_violation/eval": settled("expert_max_violation/eval"),
        "router_entropy": settled("router_entropy"),
    },
    "rmoe": {
        "router_entropy": settled("router_entropy"),
        "gate_inner_balance": settled("gate_inner_balance"),
        "gate_outer_balance": settled("gate_outer_balance"),
        "router_mutual_information": settled("router_mutual_information"),
        "expert_similarity": settled("expert_similarity"),
        "expert_max_violation/eval": settled("expert_max_violation/eval"),
    },
    "thor": {
        "pass_divergence": settled("pass_divergence"),
        "expert_max_violation/eval": settled("expert_max_violation/eval"),
        "expert_similarity": settled("expert_similarity"),
    },
}
MEASURES["rewind"] = MEASURES["spike"]
# Findings whose pages tell the best rate between the rates that were run.
WITH_BEST_RATES = {"step-law", "muparam"}


def course(text):
    """Each metric's steps and values, from `seismo export --format csv --long`."""
    metrics = collections.defaultdict(list)
    for row in csv.DictReader(io.StringIO(text)):
        metrics[row["metric"]].append((int(row["step"]), float(row["value"])))
    return metrics


def measure(table, export):
    """Adds to each cell what its finding measures. `export` gives a session's text."""
    for cell in table["cells"]:
        wanted = MEASURES.get(table["finding"], {})
        present = course(export(cell["session"])) if any(map(callable, wanted.values())) else None
        measured = {
            title: how(present, cell["steps"]) if callable(how) else cell[how]
            for title, how in wanted.items()}
        if measured:
            cell["measures"] = measured


def group_of(cell):
    return {name: value for name, value in cell["options"].items() if name not in ("lr", "seed")}


def rate(cell):
    return float(cell["options"]["lr"])


def rates(table):
    return sorted({rate(cell) for cell in table["cells"]})


def mean_and_spread(values):
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, 0
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def measure_rows(table, title, names):
    """A row a group, a column a rate: mean and deviation over seeds."""
    rows = [[*names, *(f"{value:g}" for value in rates(table))]]
    for entry in table["sensitivity"]:
        row = [entry["options"].get(name, "") for name in names]
        for one in rates(table):
            values = [
                cell["measures"][title] for cell in table["cells"]
                if group_of(cell) == entry["options"] and rate(cell) == one
                and cell["measures"][title] is not None]
            row.append("{:.3g} ±{:.2g}".format(*mean_and_spread(values)) if values else "–")
        rows.append(row)
    return rows


def best_rates(table, options):
    """Of each seed the rate at which a parabola in log rate through the lowest loss and its neighbours
    is lowest, as logarithms."""
    found = []
    for seed in table["seeds"]:
        points = sorted(
            (math.log(rate(cell)), judged(cell)) for cell in table["cells"]
            if group_of(cell) == options and int(cell["options"]["seed"]) == seed)
        place = min(range(len(points)), key=lambda index: points[index][1])
        if not 0 < place < len(points) - 1:
            found.append(points[place][0])
            continue
        (left, high), (middle, low), (right, other) = points[place - 1:place + 2]
        first, second = (low - high) / (middle - left), (other - low) / (right - middle)
        curvature = (second - first) / (right - left)
        found.append((left + middle) / 2 - first / (2 * curvature))
    return found


def judged(cell):
    """The held-out loss, at most the loss at the start."""
    loss = cell["eval_loss"]
    return cell["initial_loss"] if is_lost(cell) else loss


def is_lost(cell):
    loss = cell["eval_loss"]
    return cell["state"] == "diverged" or loss is None or not loss < cell["initial_loss"]


def best_rate_rows(table, names):
    rows = [[*names, "best rate", "seeds from", "to"]]
    for entry in table["sensitivity"]:
        found = best_rates(table, entry["options"])
        mean = math.exp(sum(found) / len(found))
        rows.append(
            [entry["options"].get(name, "") for name in names]
            + [f"{value:.3g}" for value in (mean, math.exp(min(found)), math.exp(max(found)))])
    return rows


def exponents(table):
    """c and d of best rate ~ N^c D^d by least squares; sizes and tokens are crossed, so that each is a
    line of its own."""
    points = [
        (math.log(entry["parameters"]), math.log(tokens(table, entry)), best)
        for entry in table["sensitivity"] for best in best_rates(table, entry["options"])]

    def slope(axis):
        x = sum(point[axis] for point in points) / len(points)
        y = sum(point[2] for point in points) / len(points)
        return (sum((point[axis] - x) * (point[2] - y) for point in points)
                / sum((point[axis] - x) ** 2 for point in points))

    return slope(0), slope(1)


def tokens(table, entry):
    return max(cell["tokens"] for cell in table["cells"] if group_of(cell) == entry["options"])
