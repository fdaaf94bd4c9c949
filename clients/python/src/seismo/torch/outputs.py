"""The logits that a model ends in, and what they say of the softmax after them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Elements turned to float32 at a time.
_BLOCK = 1 << 22


def logits_in(output: Any) -> Tensor | None:
    """The logits [..., V] in what a model returns: its ``logits``, else the first float tensor of
    two dimensions at least."""
    named = output.get("logits") if isinstance(output, dict) else getattr(output, "logits", None)
    if isinstance(named, Tensor):
        return named
    candidates = output if isinstance(output, (tuple, list)) else [output]
    for tensor in candidates:
        if (
            isinstance(tensor, Tensor)
            and tensor.is_floating_point()
            and tensor.dim() >= 2
            and tensor.shape[-1] > 1
        ):
            return tensor
    return None


@torch.no_grad()
def sums_of_logits(logits: Tensor) -> tuple[Tensor, Tensor, int]:
    """Sum of the rows' mean logits, sum of their log Z = ln Σ exp, and the number of rows."""
    rows = logits.detach().reshape(-1, logits.shape[-1])
    means, log_z = [], []
    for part in torch.split(rows, max(1, _BLOCK // rows.shape[-1])):
        wide = part.float()
        means.append(wide.mean(-1).sum())
        log_z.append(torch.logsumexp(wide, dim=-1).sum())
    return torch.stack(means).sum(), torch.stack(log_z).sum(), rows.shape[0]


def squared_log_z(logits: Tensor, targets: Tensor | None = None, ignored: int = -100) -> Tensor:
    """Mean over the counted rows of (ln Σ exp)²: what z-loss penalises.

    Source: Wortsman et al. 2023, section 3.1.2, after Chowdhery et al. 2022.
    """
    log_z = torch.logsumexp(logits.float(), dim=-1).reshape(-1)
    if targets is None:
        return log_z.square().mean()
    counted = (targets.reshape(-1) != ignored).to(log_z.dtype)
    return (log_z.square() * counted).sum() / counted.sum().clamp(min=1)
