"""Probes and mitigations for PyTorch models; torch is imported here, and nowhere else."""

from __future__ import annotations

from .probes import Watch, watch
from .remedies import Mitigations, loss, mitigations

__all__ = ["Mitigations", "Watch", "loss", "mitigations", "watch"]
