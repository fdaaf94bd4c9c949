"""A number that moves from one value to another over so many steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Ramp:
    """Linear between two values; a change at step s leaves the value of s as it was."""

    length: int
    start: float = 0.0
    target: float = 0.0
    since: int = 0

    def at(self, step: int) -> float:
        passed = step - self.since
        if passed >= self.length:
            return self.target
        return self.start + (self.target - self.start) * max(0, passed) / self.length

    def move(self, target: float, step: int) -> None:
        """Sets out for ``target``, from wherever it is at ``step``."""
        self.start = self.at(step)
        self.target = target
        self.since = step

    def state(self) -> list[float]:
        return [self.length, self.start, self.target, self.since]

    def restore(self, state: list[float]) -> None:
        self.length, self.start, self.target, self.since = (
            int(state[0]), float(state[1]), float(state[2]), int(state[3])
        )  # fmt: skip
