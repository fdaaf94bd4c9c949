"""What a change of a setting did to the loss, told once enough steps lie behind it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from .settings import shown

#: Samples a side that are compared.
WINDOW = 100
#: Fewer finite ones on a side say nothing.
NEEDED = 5
_LOSSES = ("loss", "train/loss", "train_loss")
_PENDING_LIMIT = 16


class Effects:
    """Watches the loss and the changes go by."""

    def __init__(self) -> None:
        self._before: deque[float] = deque(maxlen=WINDOW)
        self._pending: list[_Change] = []

    def note(self, line: Mapping[str, Any]) -> None:
        """Takes the line of an event; only changes of settings count."""
        if line.get("event") == "set" and len(self._pending) < _PENDING_LIMIT:
            self._pending.append(_Change(line, list(self._before)))

    def observe(self, step: int, time: float, metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Takes a step's metrics; returns the lines of the effects that are known now."""
        loss = next((metrics[name] for name in _LOSSES if name in metrics), None)
        if not isinstance(loss, (int, float)) or not math.isfinite(loss):
            return []
        self._before.append(float(loss))
        told = []
        for change in list(self._pending):
            change.after.append(float(loss))
            if len(change.after) < WINDOW:
                continue
            self._pending.remove(change)
            line = change.told(step, time)
            if line is not None:
                told.append(line)
        return told


class _Change:
    def __init__(self, line: Mapping[str, Any], before: list[float]) -> None:
        self.line = line
        self.before = before
        self.after: list[float] = []

    def told(self, step: int, time: float) -> dict[str, Any] | None:
        count = min(len(self.before), len(self.after))
        if count < NEEDED:
            return None
        before = sum(self.before[-count:]) / count
        after = sum(self.after[:count]) / count
        change = after - before
        return {
            "event": "effect",
            "step": step,
            "time": time,
            "name": self.line["name"],
            "before": shown(self.line["before"]),
            "after": shown(self.line["after"]),
            "by": "run",
            "text": f"loss {before:.4g} → {after:.4g} over {count} steps ({change:+.3g})",
            "values": {
                "loss.before": before,
                "loss.after": after,
                "loss.change": change,
                "loss.samples": count,
            },
        }
