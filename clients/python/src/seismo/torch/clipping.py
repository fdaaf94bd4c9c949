"""Bounds of the gradients' norm, without reading it back from the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_WARMUP = 25
_MEMORY = 0.97
_THRESHOLD = 2.5


class ZClip:
    """Bounds a gradient norm that stands out from the norms before it.

    Mean μ and variance σ² are averages over about 30 steps, begun from 25. A norm with
    z = (norm − μ)/σ above 2.5 becomes μ + 2.5·σ/(z/2.5), and so enters the average, so that a spike
    does not widen it. A norm that is not finite changes nothing.

    Source: Kumar et al. 2025, "ZClip", adaptive scaling.
    """

    def __init__(self) -> None:
        #: Norms of the first steps, until there are enough of them.
        self._first: list[Tensor] = []
        self._mean: Tensor | None = None
        self._variance: Tensor | None = None

    @torch.no_grad()
    def limit(self, norm: Tensor) -> Tensor | None:
        """What the norm may be at most; None while the average begins."""
        norm = norm.detach().float()
        if self._mean is None or self._variance is None:
            self._collect(norm)
            return None
        mean, variance = self._mean.to(norm.device), self._variance.to(norm.device)
        deviation = variance.sqrt()
        z = (norm - mean) / (deviation + 1e-6)
        is_spike = z > _THRESHOLD
        limit = mean + _THRESHOLD * deviation / (z / _THRESHOLD)
        entering = torch.where(is_spike, limit, norm)
        is_finite = torch.isfinite(norm)
        next_mean = _MEMORY * mean + (1 - _MEMORY) * entering
        next_variance = _MEMORY * variance + (1 - _MEMORY) * (entering - next_mean).square()
        self._mean = torch.where(is_finite, next_mean, mean)
        self._variance = torch.where(is_finite, next_variance, variance)
        return torch.where(is_spike & is_finite, limit, torch.inf)

    def _collect(self, norm: Tensor) -> None:
        # Copied: the norm's memory is the loop's.
        self._first.append(norm.clone())
        if len(self._first) < _WARMUP:
            return
        first = torch.stack([value.to(norm.device) for value in self._first])
        is_finite = torch.isfinite(first)
        count = is_finite.sum().clamp(min=1)
        finite = torch.where(is_finite, first, 0.0)
        mean = finite.sum() / count
        deviations = torch.where(is_finite, first - mean, 0.0)
        self._mean, self._variance = mean, deviations.square().sum() / count
        self._first.clear()

    def state(self) -> dict[str, Any]:
        """Plain numbers; waits for the device, as saving does anyway."""
        return {
            "first": [float(value) for value in self._first],
            "mean": None if self._mean is None else float(self._mean),
            "variance": None if self._variance is None else float(self._variance),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._first = [torch.tensor(value) for value in state["first"]]
        mean, variance = state["mean"], state["variance"]
        self._mean = None if mean is None else torch.tensor(mean)
        self._variance = None if variance is None else torch.tensor(variance)


@torch.no_grad()
def norm_of_all(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients together, over all ranks where they are cut up."""
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float32) for gradient in gradients]
    whole: list[Any] = [n.full_tensor() if hasattr(n, "full_tensor") else n for n in norms]
    device = whole[0].device
    together = torch.stack([norm.to(device, non_blocking=True) for norm in whole])
    norm: Tensor = torch.linalg.vector_norm(together)
    return norm


@torch.no_grad()
def scale_all(gradients: Sequence[Tensor], factor: Tensor) -> None:
    """Multiplies all of them by a scalar on a device."""
    for gradient in gradients:
        gradient.mul_(factor.to(gradient.device, non_blocking=True))


def clip_factor(norm: Tensor, bound: float, limit: Tensor | None) -> Tensor:
    """What brings gradients of such a norm under both bounds, as ``clip_grad_norm_`` does.

    Args:
        bound: 0 for any.
        limit: None for any.
    """
    highest = torch.full_like(norm, bound if bound > 0 else torch.inf)
    if limit is not None:
        highest = torch.minimum(highest, limit.to(norm.device))
    return (highest / (norm + 1e-6)).clamp(max=1.0)
