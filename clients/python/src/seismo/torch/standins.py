"""Functions of torch that others' code calls, with ours standing in for them.

A stand-in calls the original unless a model that is watched is running. It is put wherever the
original is bound, since many files import such functions by name; files imported later find it in
torch itself.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Callable

import torch
import torch.utils.checkpoint
from torch import Tensor

from .attention import Call
from .host import Host, Resumed, host_holding, running_host

Function = Callable[..., Any]

_attention: Function = torch.nn.functional.scaled_dot_product_attention
_clip_by_norm: Function = torch.nn.utils.clip_grad_norm_
_clip_by_value: Function = torch.nn.utils.clip_grad_value_
_checkpoint: Function = torch.utils.checkpoint.checkpoint


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    **others: Any,
) -> Any:
    """Stands in for torch's; as it, where no watched model is running."""
    host = running_host()
    if host is None or host.is_idle:
        if enable_gqa:
            others["enable_gqa"] = True
        return _attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **others)
    call = Call(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
    return host.attend(call, _attention)


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, *args: Any, **kwargs: Any
) -> Any:
    """Stands in for torch's: gradients are measured before it, and its bound can be changed."""
    held, host = _held(parameters)
    if host is None:
        return _clip_by_norm(held, max_norm, norm_type, *args, **kwargs)

    def clip(bound: Any) -> Any:
        return _clip_by_norm(held, bound, norm_type, *args, **kwargs)

    return host.clip(held, max_norm, clip)


def clip_grad_value_(parameters: Any, *args: Any, **kwargs: Any) -> Any:
    """Stands in for torch's: gradients are measured before it."""
    held, host = _held(parameters)
    if host is not None:
        host.before_clipping()
    return _clip_by_value(held, *args, **kwargs)


def _held(parameters: Any) -> tuple[Any, Host | None]:
    if isinstance(parameters, Tensor):
        return parameters, host_holding(parameters)
    held = list(parameters)
    return held, host_holding(held[0]) if held else None


def checkpoint(function: Function, *args: Any, **kwargs: Any) -> Any:
    """Stands in for torch.utils.checkpoint's: what is computed again is told whose it is."""
    # Compiled code knows torch's own, and computes nothing again that is not in its graph.
    if torch.compiler.is_compiling():
        return _checkpoint(function, *args, **kwargs)
    return _checkpoint(Resumed(function), *args, **kwargs)


_pairs: tuple[tuple[Function, Function], ...] = (
    (_attention, scaled_dot_product_attention),
    (_clip_by_norm, clip_grad_norm_),
    (_clip_by_value, clip_grad_value_),
    (_checkpoint, checkpoint),
)


def install() -> None:
    """Puts the stand-ins in place, once more where new files have been imported."""
    _replace({id(original): stand_in for original, stand_in in _pairs})


def remove() -> None:
    """Puts torch's own functions back."""
    _replace({id(stand_in): original for original, stand_in in _pairs})


def _may_call(module: str) -> bool:
    """Whether it calls the function, rather than being where it, or what is compiled, finds it."""
    if module in (__name__, f"{__package__}.attention"):
        return False
    if module.startswith("torch.nn.") or module == "torch.utils.checkpoint":
        return True
    return not f"{module}.".startswith("torch.")


def _replace(by_identity: dict[int, Function]) -> None:
    for name, module in list(sys.modules.items()):
        if not _may_call(name) or type(module) is not ModuleType:
            continue
        for key, value in list(vars(module).items()):
            replacement = by_identity.get(id(value))
            if replacement is not None:
                setattr(module, key, replacement)
