"""Probes and mitigations for PyTorch models; torch is imported here, and nowhere else."""

from __future__ import annotations

from . import standins
from .probes import Watch, watch
from .remedies import Mitigations, loss, mitigations, remove_mitigations

__all__ = ["Mitigations", "Watch", "loss", "mitigations", "remove_all", "watch"]


def remove_all() -> None:
    """Ends all mitigations and puts torch's own functions back."""
    remove_mitigations()
    standins.remove()
