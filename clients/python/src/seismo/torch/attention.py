"""The mathematics of attention logits: measured, blended with normalised ones, capped.

Letters: B batch, H heads, Hk key heads, T queries, S keys, D head width, Dv value width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Callable, NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.utils.checkpoint import checkpoint

#: What a masked logit is set to: far below any other, and finite, so that 0 times it is 0.
_MASKED = -1e30
#: Logits held at a time: 16 MiB, about what a core's cache and a device's launch like.
_BLOCK = 1 << 22
#: LayerNorm's, as in Wortsman et al. and in Seismo's own engine.
EPSILON = 1e-5

Kernel = Callable[..., Tensor]


@dataclass(frozen=True)
class Call:
    """What ``scaled_dot_product_attention`` is called with: ``query`` [B, H, T, D], ``key``
    [B, Hk, S, D], ``value`` [B, Hk, S, Dv]."""

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None = None
    dropout: float = 0.0
    is_causal: bool = False
    scale: float | None = None
    #: Whether keys and values may have fewer heads.
    is_grouped: bool = False

    @property
    def factor(self) -> float:
        """What the products are multiplied by."""
        return 1 / math.sqrt(self.query.shape[-1]) if self.scale is None else self.scale

    def run(self, kernel: Kernel) -> Tensor:
        """Hands it to the fused kernel."""
        extra: dict[str, Any] = {"enable_gqa": True} if self.is_grouped else {}
        return kernel(
            self.query, self.key, self.value, self.mask, self.dropout, self.is_causal,
            scale=self.scale, **extra,
        )  # fmt: skip


class LogitStatistics(NamedTuple):
    """Of one call, all on its device, each a scalar in float32."""

    #: The largest logit that no mask hides, before any cap.
    maximum: Tensor
    #: Sum of the rows' entropies, nats.
    entropy: Tensor
    #: Rows that see a key.
    rows: Tensor
    #: Sum of entropy over its bound, the log of the number of keys seen.
    share: Tensor
    #: Rows that see more than one.
    shared_rows: Tensor


@torch.no_grad()
def statistics(
    call: Call, cap_inverse: Tensor | None = None, budget: int | None = None
) -> LogitStatistics:
    """Measures the logits of a call: exactly, in float32, by blocks of queries.

    Args:
        cap_inverse: 1/c, where logits are capped by c·tanh(z/c) before the softmax.
        budget: logits looked at, at most; beyond it every n-th query is taken.
    """
    parts = [
        _row_statistics(scores, mask, cap_inverse)
        for scores, mask in _score_blocks(call, query_stride(call, budget))
    ]
    maxima, *sums = zip(*parts)
    return LogitStatistics(torch.stack(maxima).amax(), *(torch.stack(s).sum() for s in sums))


def query_stride(call: Call, budget: int | None) -> int:
    """Every how many queries one is looked at, so as to stay within ``budget`` logits."""
    logits = call.query.shape[:-1].numel() * call.key.shape[-2] // (2 if call.is_causal else 1)
    return 1 if budget is None else max(1, -(-logits // budget))


def _row_statistics(scores: Tensor, mask: _Mask, cap_inverse: Tensor | None) -> LogitStatistics:
    """Of a block's logits [B, H, b, S], which it overwrites.

    With z the logits less their row's largest, e = exp z and Z = Σe, a row's entropy is
    ln Z − Σ e·z / Z.
    """
    uncapped = mask.applied(scores if cap_inverse is None else scores.clone())
    maximum = uncapped.amax()
    if cap_inverse is not None:
        scores = mask.applied(torch.tanh(scores * cap_inverse) / cap_inverse)
    else:
        scores = uncapped
    scores.sub_(scores.amax(-1, keepdim=True))
    weights = scores.exp()
    total = weights.sum(-1)
    entropy = total.log() - weights.mul_(scores).sum(-1) / total
    seen = _keys_seen(scores, mask.hidden)
    is_row = seen > 0
    is_shared = seen > 1
    entropy = torch.where(is_row, entropy, 0.0)
    share = torch.where(is_shared, entropy / seen.clamp(min=2).log(), 0.0)
    heads = entropy.numel() / is_row.numel()
    return LogitStatistics(
        maximum, entropy.sum(), is_row.sum() * heads, share.sum(), is_shared.sum() * heads
    )


def _keys_seen(scores: Tensor, hidden: Tensor | None) -> Tensor:
    """How many keys each row sees, in a shape that broadcasts to the rows'."""
    if hidden is None:
        return torch.full((1,), float(scores.shape[-1]), device=scores.device)
    hidden = hidden.expand(*hidden.shape[:-1], scores.shape[-1])
    return (scores.shape[-1] - hidden.sum(-1)).float()


def _score_blocks(call: Call, stride: int) -> Iterator[tuple[Tensor, _Mask]]:
    """The products in float32, [B, H, b, S'], by blocks of queries, and what masks them.

    Causal blocks end at the last key that they see.
    """
    query, key, mask = _four_dimensional(call)
    batch, heads, queries, _ = query.shape
    key = key.float()
    keys = key.shape[-2]
    for first, last in _row_blocks(batch * heads * keys, queries, call.is_causal, stride):
        reach = min(last, keys) if call.is_causal else keys
        rows = slice(first, last, stride)
        block = query[:, :, rows].float() * call.factor
        scores = _products(block, key[:, :, :reach])
        yield scores, _mask_of(mask, rows, reach, call.is_causal, scores.device)


def _row_blocks(
    row_size: int, queries: int, is_causal: bool, stride: int
) -> Iterator[tuple[int, int]]:
    rows = max(1, _BLOCK // max(1, row_size))
    if is_causal:
        # Shorter blocks skip more of the masked half.
        rows = min(rows, max(64, queries // 8))
    for first in range(0, queries, rows * stride):
        yield first, min(queries, first + rows * stride)


def _products(block: Tensor, key: Tensor) -> Tensor:
    """Queries [B, H, b, D] by keys [B, Hk, S, D]: [B, H, b, S], without repeating the keys."""
    batch, heads, rows, width = block.shape
    key_heads = key.shape[1]
    if key_heads == heads:
        return block @ key.transpose(-1, -2)
    grouped = block.reshape(batch, key_heads, heads // key_heads * rows, width)
    return (grouped @ key.transpose(-1, -2)).view(batch, heads, rows, key.shape[-2])


class _Mask(NamedTuple):
    """What is added to a block's logits, and which of them are hidden; both broadcast."""

    bias: Tensor | None
    hidden: Tensor | None

    def applied(self, scores: Tensor) -> Tensor:
        """Logits with it, in place of those given."""
        if self.bias is not None:
            scores = scores.add_(self.bias)
        return scores if self.hidden is None else scores.masked_fill_(self.hidden, _MASKED)


def _mask_of(
    mask: Tensor | None, rows: slice, reach: int, is_causal: bool, device: torch.device
) -> _Mask:
    """The part of a call's mask that a block of queries has."""
    hidden = None
    if is_causal:
        at = torch.arange(rows.start, rows.stop, rows.step, device=device)
        hidden = (torch.arange(reach, device=device) > at[:, None])[None, None]
    if mask is None:
        return _Mask(None, hidden)
    part = (mask[:, :, rows] if mask.shape[-2] > 1 else mask)[..., :reach]
    is_flags = part.dtype == torch.bool
    masked = ~part if is_flags else part <= torch.finfo(part.dtype).min / 2
    return _Mask(None if is_flags else part, masked if hidden is None else masked | hidden)


def _four_dimensional(call: Call) -> tuple[Tensor, Tensor, Tensor | None]:
    """Query, key and mask with exactly two leading dimensions, query's and key's batch alike."""
    query, key, mask = call.query, call.key, call.mask
    while query.dim() < 4:
        query = query.unsqueeze(0)
    while key.dim() < 4:
        key = key.unsqueeze(0)
    while mask is not None and mask.dim() < 4:
        mask = mask.unsqueeze(0)
    lead = query.shape[:-3]
    key = key.expand(*lead, *key.shape[-3:])
    if len(lead) > 1:
        if mask is not None and mask.dim() == query.dim():
            mask = mask.expand(*lead, *mask.shape[-3:]).flatten(0, -4)
        query, key = query.flatten(0, -4), key.flatten(0, -4)
    return query, key, mask


def normalised(x: Tensor) -> Tensor:
    """LayerNorm over the head width, without gain."""
    return functional.layer_norm(x, x.shape[-1:], eps=EPSILON)


def normalised_call(call: Call) -> Call:
    """The same attention with the logits LN(q)·LN(k)."""
    return replace(
        call,
        query=normalised(call.query),
        key=normalised(call.key),
        scale=call.factor,
    )


def blended_call(call: Call, root_old: Tensor, root_new: Tensor) -> Call:
    """The same attention with the logits u·q·k + w·LN(q)·LN(k), for the fused kernel.

    Queries [√u·q, √w·LN(q)] and keys alike have that product. Values are padded with zeros to the
    keys' width, since the CPU's flash kernel takes no narrower ones; ``narrowed`` cuts them off.

    Args:
        root_old: √u, a scalar on the call's device.
        root_new: √w.
    """
    width = max(0, 2 * call.query.shape[-1] - call.value.shape[-1])
    return replace(
        call,
        query=_joined(call.query, root_old, root_new),
        key=_joined(call.key, root_old, root_new),
        value=functional.pad(call.value, (0, width)),
        scale=call.factor,
    )


def _joined(x: Tensor, root_old: Tensor, root_new: Tensor) -> Tensor:
    return torch.cat((x * root_old, normalised(x) * root_new), dim=-1)


def narrowed(output: Tensor, call: Call) -> Tensor:
    """Of the output of a blended call: the columns that are ``call``'s values'."""
    return output[..., : call.value.shape[-1]]


def capped(call: Call, cap_inverse: Tensor) -> Tensor:
    """Attention with the logits c·tanh(z/c), which no fused kernel computes: by blocks of queries.

    Where there is more than one block each is computed again in the backward pass, so that memory
    grows with T, not with T². A cap comes before the mask, or masked entries would leak.

    Args:
        cap_inverse: 1/c, a scalar on the call's device.
    """
    query, key, mask = _four_dimensional(call)
    value = call.value.reshape(-1, *call.value.shape[-3:]) if call.value.dim() > 4 else call.value
    while value.dim() < 4:
        value = value.unsqueeze(0)
    batch, heads, queries, _ = query.shape
    spans = list(_row_blocks(batch * heads * key.shape[-2], queries, call.is_causal, 1))

    def rows(first: int, last: int, block: Tensor, key: Tensor, value: Tensor) -> Tensor:
        reach = min(last, key.shape[-2]) if call.is_causal else key.shape[-2]
        scores = _products(block * call.factor, key[:, :, :reach]).float()
        scores = torch.tanh(scores * cap_inverse) / cap_inverse
        bias, hidden = _mask_of(mask, slice(first, last, 1), reach, call.is_causal, scores.device)
        if bias is not None:
            scores = scores + bias
        if hidden is not None:
            scores = scores.masked_fill(hidden, -math.inf)
        weights = torch.softmax(scores, dim=-1).to(value.dtype)
        if hidden is not None and mask is not None:
            # The kernel gives rows that see nothing zeros, not NaN.
            weights = weights.masked_fill(hidden, 0.0)
        if call.dropout > 0:
            weights = functional.dropout(weights, call.dropout)
        return _weighted(weights, value[:, :, :reach])

    if len(spans) == 1:
        output = rows(0, queries, query, key, value)
    else:
        pieces = [
            checkpoint(rows, a, b, query[:, :, a:b], key, value, use_reentrant=False)
            for a, b in spans
        ]
        output = torch.cat(pieces, dim=-2)
    return output.reshape(*call.query.shape[:-1], call.value.shape[-1])


def _weighted(weights: Tensor, value: Tensor) -> Tensor:
    """Weights [B, H, b, S] by values [B, Hk, S, Dv]: [B, H, b, Dv]."""
    batch, heads, rows, keys = weights.shape
    value_heads = value.shape[1]
    if value_heads == heads:
        return weights @ value
    grouped = weights.reshape(batch, value_heads, heads // value_heads * rows, keys)
    return (grouped @ value).view(batch, heads, rows, value.shape[-1])
