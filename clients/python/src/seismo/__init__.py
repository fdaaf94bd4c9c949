"""Seismo's client: a training run in the terminal, with hands.

    import seismo
    run = seismo.init(name="gpt", total_steps=10_000)
    run.controls(lr=seismo.multiplier(optimizer))
    for step in range(10_000):
        run.log({"loss": train_step()}, step=step)
        run.poll()

The standard library is all it needs. ``seismo.watch``, ``seismo.mitigations`` and ``seismo.loss``
are for PyTorch and import it when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .multiplier import multiplier
from .run import Run, current_run, init
from .settings import Action, Refused, Setting, attribute, choice, flag, number

if TYPE_CHECKING:
    from .torch import loss, mitigations, watch

__all__ = [
    "Action",
    "Refused",
    "Run",
    "Setting",
    "__version__",
    "attribute",
    "choice",
    "current_run",
    "flag",
    "init",
    "loss",
    "mitigations",
    "multiplier",
    "number",
    "watch",
]

_OF_TORCH = ("loss", "mitigations", "watch")


def __getattr__(name: str) -> Any:
    if name in _OF_TORCH:
        from . import torch

        return getattr(torch, name)
    raise AttributeError(f"module 'seismo' has no attribute '{name}'")
