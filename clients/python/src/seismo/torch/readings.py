"""Values of a probed step on their way from the device: one copy for all of them."""

from __future__ import annotations

import threading
from typing import Any, Callable, Union

import torch
from torch import Tensor

from ..values import Deferred

Number = Union[float, Tensor]


class Readings:
    """Collects scalars by name; tensors stay where they are until all are copied together."""

    def __init__(self) -> None:
        self._numbers: dict[str, float] = {}
        self._tensors: dict[torch.device, dict[str, Tensor]] = {}

    def add(self, name: str, value: Number) -> None:
        if isinstance(value, Tensor):
            self._tensors.setdefault(value.device, {})[name] = value.detach()
        else:
            self._numbers[name] = float(value)

    def taken(self) -> dict[str, Any]:
        """All of them, for ``Run.add``; it is empty afterwards. Never waits for a device."""
        values: dict[str, Any] = dict(self._numbers)
        for device, tensors in self._tensors.items():
            names = list(tensors)
            stacked = torch.stack([tensors[name].reshape(()).float() for name in names])
            if device.type == "cpu":
                values.update(zip(names, stacked.tolist()))
                continue
            arrival = _Arrival(stacked)
            values.update(
                (name, Deferred(_Place(arrival, index))) for index, name in enumerate(names)
            )
        self._numbers, self._tensors = {}, {}
        return values


class _Arrival:
    """A vector that is being copied; ``values`` waits for it, in the thread that asks."""

    def __init__(self, vector: Tensor) -> None:
        self._copy = vector.to("cpu", non_blocking=True)
        # The copy reads it until the event has passed.
        self._source: Tensor | None = vector
        self._wait = _passed(vector.device)
        self._values: list[float] | None = None
        self._lock = threading.Lock()

    def values(self) -> list[float]:
        with self._lock:
            if self._values is None:
                self._wait()
                self._values = self._copy.tolist()
                self._source = None
            return self._values


class _Place:
    """One number of a vector."""

    def __init__(self, arrival: _Arrival, index: int) -> None:
        self._arrival = arrival
        self._index = index

    def __call__(self) -> float:
        return self._arrival.values()[self._index]


def _passed(device: torch.device) -> Callable[[], None]:
    """Waits until the device has done what it was asked for so far."""
    module: Any = getattr(torch, device.type, None)
    if not hasattr(module, "Event"):
        return lambda: None if module is None else module.synchronize()
    event = module.Event()
    event.record(*([module.current_stream(device)] if hasattr(module, "current_stream") else []))
    wait: Callable[[], None] = event.synchronize
    return wait
