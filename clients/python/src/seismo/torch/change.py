"""What mitigations do to attention logits: normalise queries and keys, cap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .attention import (
    Call,
    Kernel,
    blended_call,
    capped,
    narrowed,
    normalised_call,
)
from .ramp import Ramp

_ABSENT, _BLENDED, _WHOLE = range(3)


class _Numbers:
    """Scalars on a device: compiled code reads them, so that it is not compiled for each value."""

    def __init__(self, device: torch.device, values: Sequence[float]) -> None:
        self.root_old, self.root_new, self.cap_inverse = (
            torch.tensor(value, device=device) for value in values
        )

    def fill(self, values: Sequence[float]) -> None:
        for number, value in zip((self.root_old, self.root_new, self.cap_inverse), values):
            number.fill_(value)


class AttentionChange:
    """The weight of the normalised logits and the cap, as they are in the present step.

    Both move over some steps, so that the step after a switch has exactly the loss it would have
    had. Of the cap c it is 1/c that moves: 0 is no cap.
    """

    def __init__(self, length: int, device: torch.device) -> None:
        self.normalisation = Ramp(length)
        self.cap = Ramp(length)
        self._mode = _ABSENT
        self._is_capped = False
        self._values = (1.0, 0.0, 0.0)
        self._first = _Numbers(device, self._values)
        self._others: dict[torch.device, _Numbers] = {}

    @property
    def is_idle(self) -> bool:
        return self._mode == _ABSENT and not self._is_capped

    @property
    def cap_inverse(self) -> Tensor | None:
        """1/c on the model's first device; None where nothing is capped."""
        return self._first.cap_inverse if self._is_capped else None

    def move_to(self, step: int) -> None:
        """Takes the weights of ``step``."""
        weight, inverse = self.normalisation.at(step), self.cap.at(step)
        self._mode = _ABSENT if weight == 0 else _WHOLE if weight == 1 else _BLENDED
        self._is_capped = inverse > 0
        values = ((1 - weight) ** 0.5, weight**0.5, inverse)
        if values == self._values:
            return
        self._values = values
        self._first.fill(values)
        for numbers in self._others.values():
            numbers.fill(values)

    def prepared(self, call: Call) -> Call:
        """The call whose logits are in force, before any cap."""
        if self._mode == _ABSENT:
            return call
        if self._mode == _WHOLE:
            return normalised_call(call)
        numbers = self._on(call.query.device)
        return blended_call(call, numbers.root_old, numbers.root_new)

    def attend(self, call: Call, prepared: Call, kernel: Kernel) -> Tensor:
        """The attention of ``call`` with the logits of ``prepared``."""
        if self._is_capped:
            inverse = self._on(call.query.device).cap_inverse
            return capped(replace(prepared, value=call.value), inverse)
        output = prepared.run(kernel)
        return narrowed(output, call) if self._mode == _BLENDED else output

    def _on(self, device: torch.device) -> _Numbers:
        """The numbers on ``device``; compiled code finds those of the first without a search."""
        if device == self._first.root_old.device:
            return self._first
        numbers = self._others.get(device)
        if numbers is None:
            numbers = self._others[device] = _Numbers(device, self._values)
        return numbers
