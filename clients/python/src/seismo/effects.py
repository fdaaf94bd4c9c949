"""What a change of a setting did, told once enough steps lie behind it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from .settings import shown

if TYPE_CHECKING:
    from typing import TypeGuard

#: Losses a side that are compared.
WINDOW = 100
#: Fewer finite ones on a side say nothing.
NEEDED = 5
_LOSSES = ("loss", "train/loss", "train_loss")
#: What a setting is meant to move, beside the loss: the metric and its words.
_SUBJECTS = {
    "qk_layernorm": ("attention_logit_max", "attention logits"),
    "z_loss": ("log_z", "log Z"),
    "grad_clip": ("grad_norm", "gradient norm"),
}
_PENDING_LIMIT = 16

#: A step and what a metric was in it.
Point = tuple[int, float]


class Effects:
    """Watches the metrics and the changes go by."""

    def __init__(self) -> None:
        self._losses: deque[Point] = deque(maxlen=WINDOW)
        # Probes measure them more seldom: what counts is in the losses' steps.
        self._subjects: dict[str, deque[Point]] = {
            metric: deque(maxlen=WINDOW) for metric, _ in _SUBJECTS.values()
        }
        self._pending: list[_Change] = []

    def note(self, line: Mapping[str, Any]) -> None:
        """Takes the line of an event; only changes of settings count."""
        if line.get("event") != "set":
            return
        taken_back = [
            change
            for change in self._pending
            if change.line["name"] == line["name"] and change.line["before"] == line["after"]
        ]
        if taken_back:
            # It has shown nothing yet, and leaves nothing to tell.
            self._pending.remove(taken_back[-1])
        elif len(self._pending) < _PENDING_LIMIT:
            metric, _ = _SUBJECTS.get(line["name"], ("", ""))
            subject = self._subjects.get(metric, ())
            self._pending.append(_Change(line, metric, list(self._losses), list(subject)))

    def observe(self, step: int, time: float, metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Takes a step's metrics; returns the lines of the effects that are known now."""
        for metric, points in self._subjects.items():
            value = metrics.get(metric)
            if _is_finite(value):
                points.append((step, value))
                for change in self._pending:
                    change.take_subject(metric, step, value)
        loss = next((metrics[name] for name in _LOSSES if name in metrics), None)
        if not _is_finite(loss):
            return []
        self._losses.append((step, loss))
        # A loop that goes back to before a change undoes it.
        self._pending = [change for change in self._pending if step >= change.line["step"]]
        for change in self._pending:
            change.take_loss(step, loss)
        due = [change for change in self._pending if len(change.after) >= WINDOW]
        self._pending = [change for change in self._pending if change not in due]
        told = [change.told(step, time) for change in due]
        return [line for line in told if line is not None]


class _Change:
    """One change: the windows before it and after its blend, and the losses between."""

    def __init__(
        self, line: Mapping[str, Any], metric: str, losses: list[Point], subject: list[Point]
    ) -> None:
        self.line = line
        self.after: list[float] = []
        self._before = losses
        self._highest = -math.inf
        self._end = line["step"] + line.get("values", {}).get("blend_steps", 0)
        self._metric = metric
        self._subject_before = subject
        self._subject_after: deque[float] = deque(maxlen=WINDOW)

    def take_loss(self, step: int, loss: float) -> None:
        if step < self._end:
            self._highest = max(self._highest, loss)
        else:
            self.after.append(loss)

    def take_subject(self, metric: str, step: int, value: float) -> None:
        if metric == self._metric and step >= self._end:
            self._subject_after.append(value)

    def told(self, step: int, time: float) -> dict[str, Any] | None:
        count = min(len(self._before), len(self.after))
        if count < NEEDED:
            return None
        first, _ = self._before[-count]
        before = fmean(loss for _, loss in self._before[-count:])
        after = fmean(self.after[:count])
        clauses, values = self._subject(first)
        change = after - before
        clauses.append(f"loss {before:.4g} → {after:.4g} over {count} steps ({change:+.3g})")
        if math.isfinite(self._highest):
            way = f"at most {self._highest:.4g}" if self._highest > before else "never higher"
            clauses.append(f"{way} on the way")
        return {
            "event": "effect",
            "step": step,
            "time": time,
            "name": self.line["name"],
            "before": shown(self.line["before"]),
            "after": shown(self.line["after"]),
            "by": "run",
            "text": ", ".join(clauses),
            "values": {**values, **_sides("loss", before, after, count)},
        }

    def _subject(self, first: int) -> tuple[list[str], dict[str, float]]:
        """What it did to the metric that it is meant to move, from step ``first`` on."""
        earlier = [value for at, value in self._subject_before if at >= first]
        if not earlier or not self._subject_after:
            return [], {}
        label = _SUBJECTS[self.line["name"]][1]
        before, after = median(earlier), median(self._subject_after)
        count = min(len(earlier), len(self._subject_after))
        words = f"{label} {_word(before)} → {_word(after)}"
        return [words], _sides(self._metric, before, after, count)


def _sides(name: str, before: float, after: float, count: int) -> dict[str, float]:
    return {
        f"{name}.before": before,
        f"{name}.after": after,
        f"{name}.change": after - before,
        f"{name}.samples": count,
    }


def _word(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _is_finite(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and math.isfinite(value)
