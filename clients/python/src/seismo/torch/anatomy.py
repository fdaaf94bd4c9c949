"""Where a model's blocks, parameters and routers are, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside what ``torch.compile`` and the parallel wrappers put around it."""
    while True:
        if hasattr(model, "_orig_mod"):
            inner = model._orig_mod
        elif type(model).__name__ in ("DistributedDataParallel", "DataParallel") or hasattr(
            model, "_fsdp_wrapped_module"
        ):
            inner = model.module
        else:
            return model
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def is_compiled(model: nn.Module) -> bool:
    """Whether ``torch.compile`` has been applied to it or to a part of it."""
    return any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in model.modules()
    )


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """The layers that L counts: children of the outermost lists of modules that have parts.

    A ``ModuleList`` is taken whole, a ``Sequential`` where several of its children are of one kind.
    An encoder's layers come before a decoder's, as they are named in the model.
    """
    found: list[nn.Module] = []
    _collect(unwrapped(model), found)
    return found


def _collect(module: nn.Module, found: list[nn.Module]) -> None:
    layers = _layers(module)
    if layers:
        found.extend(layers)
        return
    for child in module.children():
        _collect(child, found)


def _layers(module: nn.Module) -> list[nn.Module]:
    children = [child for child in module.children() if any(True for _ in child.children())]
    # Hooks belong inside what checkpoints a block, so that they run when it is computed again.
    children = [getattr(child, "_checkpoint_wrapped_module", child) for child in children]
    if isinstance(module, nn.ModuleList):
        return children
    if not isinstance(module, nn.Sequential) or len(children) < 2:
        return []
    kinds = [type(_bare(child)) for child in children]
    most = max(set(kinds), key=kinds.count)
    return [c for c, kind in zip(children, kinds) if kind is most] if kinds.count(most) > 1 else []


def _bare(module: nn.Module) -> nn.Module:
    inner = getattr(module, "_orig_mod", module)
    return inner if isinstance(inner, nn.Module) else module


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are told together: a block's, or those of one module outside all blocks."""

    #: As in ``grad_norm/LABEL``: the block's number, else the module's name.
    label: str
    #: As in ``grad_rms/TENSOR``: ``L3``, else the module's name.
    tensor: str
    parameters: tuple[nn.Parameter, ...]


def parameter_groups(model: nn.Module, blocks: Sequence[nn.Module]) -> list[ParameterGroup]:
    """Every trained parameter once, by block; those outside by the module that holds them."""
    groups: list[ParameterGroup] = []
    taken: set[int] = set()
    for number, block in enumerate(blocks):
        parameters = _new(block.parameters(), taken)
        if parameters:
            groups.append(ParameterGroup(str(number), f"L{number}", parameters))
    outside: dict[str, list[nn.Parameter]] = {}
    for name, parameter in unwrapped(model).named_parameters():
        if id(parameter) not in taken and parameter.requires_grad:
            holder = name.rpartition(".")[0].rpartition(".")[2] or name
            outside.setdefault(holder, []).append(parameter)
    for holder, held in outside.items():
        groups.append(ParameterGroup(holder, holder, tuple(held)))
    return groups


def _new(parameters: Iterable[nn.Parameter], taken: set[int]) -> tuple[nn.Parameter, ...]:
    fresh = [p for p in parameters if p.requires_grad and id(p) not in taken]
    taken.update(map(id, fresh))
    return tuple(fresh)


def embeddings_of(model: nn.Module, blocks: Sequence[nn.Module]) -> list[nn.Parameter]:
    """The parameters of the embeddings before the blocks."""
    inside = {id(module) for block in blocks for module in block.modules()}
    return [
        parameter
        for module in unwrapped(model).modules()
        if isinstance(module, nn.Embedding) and id(module) not in inside
        for parameter in module.parameters()
    ]


@dataclass(frozen=True)
class Router:
    """A module whose output says which experts a token goes to."""

    layer: int
    module: nn.Module
    experts: int
    #: Experts a token is sent to, where the output holds the scores alone.
    top: int
    #: Whether its scores are sigmoids, as DeepSeek-V3's are.
    is_sigmoid: bool


def routers_of(blocks: Sequence[nn.Module]) -> list[Router]:
    """The routers of mixtures of experts: what is called gate or router beside ``experts``."""
    return [router for layer, block in enumerate(blocks) for router in _routers_in(layer, block)]


def _routers_in(layer: int, block: nn.Module) -> Iterator[Router]:
    for mixture in block.modules():
        experts = getattr(mixture, "experts", None)
        gate = getattr(mixture, "gate", None)
        if not isinstance(gate, nn.Module):
            gate = getattr(mixture, "router", None)
        if not isinstance(experts, nn.Module) or not isinstance(gate, nn.Module):
            continue
        count = _expert_count(gate, experts)
        if count is None or count < 2:
            continue
        top = _first_int((gate, mixture, experts), ("top_k", "num_experts_per_tok", "k")) or 1
        yield Router(layer, gate, count, top, hasattr(gate, "e_score_correction_bias"))


def _expert_count(gate: nn.Module, experts: nn.Module) -> int | None:
    names = ("num_experts", "n_routed_experts", "num_local_experts")
    told = _first_int((gate, experts), names)
    if told is not None:
        return told
    weight = getattr(gate, "weight", None)
    if isinstance(weight, torch.Tensor) and weight.dim() == 2:
        return int(weight.shape[0])
    return len(experts) if isinstance(experts, nn.ModuleList) else None


def _first_int(owners: Iterable[object], names: Sequence[str]) -> int | None:
    for owner in owners:
        for name in names:
            value: Any = getattr(owner, name, None)
            if isinstance(value, int):
                return value
    return None
