"""Optimizers, also inside the wrappers that others put around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import torch

Optimizers = Union[None, torch.optim.Optimizer, Sequence[torch.optim.Optimizer]]


def innermost(optimizer: Any) -> torch.optim.Optimizer:
    """The torch optimizer in a wrapper that holds it as ``.optimizer``.

    Raises:
        TypeError: where there is none.
    """
    while _is_wrapped(inner := getattr(optimizer, "optimizer", None)):
        optimizer = inner
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is no torch.optim.Optimizer")
    return optimizer


def _is_wrapped(inner: Any) -> bool:
    """Whether a wrapper holds an optimizer; some wrappers are of that class themselves."""
    return isinstance(inner, torch.optim.Optimizer) or hasattr(inner, "optimizer")


def listed(optimizers: Optimizers) -> list[torch.optim.Optimizer]:
    """One or several, unwrapped."""
    if optimizers is None:
        return []
    several = optimizers if isinstance(optimizers, (list, tuple)) else [optimizers]
    return [innermost(one) for one in several]
