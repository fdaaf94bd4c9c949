"""Norms of gradients, parameters and updates, by block and in all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from .anatomy import ParameterGroup
from .readings import Readings

#: Elements of a tensor that its update's RMS is taken over: of a larger one, every n-th.
SAMPLED = 1 << 20


def norm_of(tensor: Tensor) -> Tensor:
    """Root of the sum of squares, in float32 at least."""
    if tensor.is_sparse:
        tensor = tensor.coalesce().values()
    wide = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    norm: Tensor = torch.linalg.vector_norm(tensor, dtype=wide)
    return norm


def is_whole(parameter: Tensor) -> bool:
    """Whether this process has all of it: not a shard of FSDP's, not without memory."""
    return not hasattr(parameter, "to_local") and parameter.device.type != "meta"


def _joined(norms: Iterable[Tensor]) -> Tensor | None:
    norms = list(norms)
    if not norms:
        return None
    device = norms[0].device
    return norm_of(torch.stack([norm.float().to(device, non_blocking=True) for norm in norms]))


@torch.no_grad()
def tell_gradients(
    groups: Sequence[ParameterGroup], scale: Tensor | None, readings: Readings
) -> None:
    """``grad_norm``, ``grad_norm/LABEL`` and ``grad_rms/TENSOR``.

    Args:
        scale: what the gradients are still multiplied by.
    """
    norms = []
    for group in groups:
        held = [p.grad for p in group.parameters if p.grad is not None and is_whole(p)]
        norm = _joined(norm_of(gradient) for gradient in held)
        if norm is None:
            continue
        if scale is not None:
            norm = norm / scale.to(norm.device, non_blocking=True)
        norms.append(norm)
        count = sum(gradient.numel() for gradient in held)
        readings.add(f"grad_norm/{group.label}", norm)
        readings.add(f"grad_rms/{group.tensor}", norm / math.sqrt(max(1, count)))
    whole = _joined(norms)
    if whole is not None:
        readings.add("grad_norm", whole)


class UpdateProbe:
    """Compares parameters before and after an optimizer's step.

    What decays the weights is part of the update here, since it happens in the same call.
    """

    @torch.no_grad()
    def __init__(self, groups: Sequence[ParameterGroup]) -> None:
        self._groups = groups
        self._before = {
            id(p): _sample(p).clone()
            for group in groups
            for p in group.parameters
            if p.grad is not None and is_whole(p)
        }

    @torch.no_grad()
    def tell(self, readings: Readings) -> None:
        """``update_rms/TENSOR``, ``param_norm/TENSOR``, ``update_ratio`` and those of groups."""
        updates, parameters = [], []
        for group in self._groups:
            moved = [p for p in group.parameters if id(p) in self._before]
            update = _joined(self._scaled_norm(p) for p in moved)
            norm = _joined(norm_of(p) for p in moved)
            if update is None or norm is None:
                continue
            root = math.sqrt(max(1, sum(p.numel() for p in moved)))
            readings.add(f"update_rms/{group.tensor}", update / root)
            readings.add(f"param_norm/{group.tensor}", norm)
            readings.add(f"update_ratio/{group.label}", update / norm.clamp(min=1e-30))
            updates.append(update)
            parameters.append(norm)
        update, norm = _joined(updates), _joined(parameters)
        if update is not None and norm is not None:
            readings.add("update_ratio", update / norm.clamp(min=1e-30))

    def _scaled_norm(self, parameter: nn.Parameter) -> Tensor:
        """The update's norm, estimated from the sample where the tensor is large."""
        before = self._before[id(parameter)]
        now = _sample(parameter)
        return norm_of(now - before) * math.sqrt(parameter.numel() / max(1, before.numel()))


def _sample(parameter: Tensor) -> Tensor:
    """Every n-th element, so that at most ``SAMPLED`` are held."""
    if parameter.numel() <= SAMPLED or not parameter.is_contiguous():
        return parameter.detach()
    stride = -(-parameter.numel() // SAMPLED)
    # An odd stride meets all columns of a matrix whose width is a power of two.
    return parameter.detach().view(-1)[:: stride | 1]
