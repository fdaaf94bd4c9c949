"""Norms of JAX pytrees under Seismo's names: ``seismo.jax.norms(gradients, parameters, updates)``.

    @jax.jit
    def step(parameters, state, batch):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, batch)
        updates, state = optimizer.update(gradients, state, parameters)
        metrics = seismo.jax.norms(gradients, parameters, updates)
        return optax.apply_updates(parameters, updates), state, {"loss": loss, **metrics}

The numbers stay on the device; ``run.log`` reads them in the run's own thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

#: A leaf's place, and the leaf.
Leaf = tuple[tuple[str, ...], Any]
_NUMBERED = re.compile(r"(.*?)_?(\d+)")


def norms(gradients: Any = None, parameters: Any = None, updates: Any = None) -> dict[str, Any]:
    """``grad_norm``, ``update_ratio`` and their like, in all and by block.

    Blocks are the members of the pytree's largest numbered family: a list, or keys such as
    ``Block_0``. What lies outside bears the name of the module that holds it. It may be traced, as
    in ``jax.jit``.

    Args:
        gradients: before clipping.
        parameters: with them, ``param_norm/TENSOR``.
        updates: what is added to the parameters; with both, ``update_ratio``.
    """
    told: dict[str, Any] = {}
    if gradients is not None:
        sizes = _by_group(gradients)
        for group, (norm, count) in sizes.items():
            told[f"grad_norm/{group}"] = norm
            told[f"grad_rms/{_tensor(group)}"] = norm / count**0.5
        told["grad_norm"] = _joined(norm for norm, _ in sizes.values())
    weights = {} if parameters is None else _by_group(parameters)
    for group, (norm, _) in weights.items():
        told[f"param_norm/{_tensor(group)}"] = norm
    if updates is not None:
        changes = _by_group(updates)
        for group, (norm, count) in changes.items():
            told[f"update_rms/{_tensor(group)}"] = norm / count**0.5
            if group in weights:
                told[f"update_ratio/{group}"] = _ratio(norm, weights[group][0])
        if weights:
            whole = (_joined(norm for norm, _ in sizes.values()) for sizes in (changes, weights))
            told["update_ratio"] = _ratio(*whole)
    return told


def _by_group(tree: Any) -> dict[str, tuple[Any, int]]:
    """The norm, in float32, and the number of elements of each group."""
    leaves = [
        (tuple(map(_name, path)), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
        if hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.inexact)
    ]
    family = _blocks(leaves)
    groups: dict[str, list[Any]] = {}
    for path, leaf in leaves:
        groups.setdefault(_group(path, family), []).append(leaf)
    return {
        group: (_joined(map(_norm, held)), max(1, sum(leaf.size for leaf in held)))
        for group, held in groups.items()
    }


def _name(key: Any) -> str:
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


def _families(path: Sequence[str]) -> Iterable[tuple[tuple[str, ...], str]]:
    """The numbered families that a place belongs to, each with its number there."""
    for depth, name in enumerate(path):
        numbered = _NUMBERED.fullmatch(name)
        if numbered:
            yield (*path[:depth], numbered[1]), numbered[2]


def _blocks(leaves: Sequence[Leaf]) -> tuple[str, ...] | None:
    """The family with the most members; of several, the outermost that comes first."""
    members: dict[tuple[str, ...], set[str]] = {}
    for path, _ in leaves:
        for family, number in _families(path):
            members.setdefault(family, set()).add(number)
    large = [family for family, numbers in members.items() if len(numbers) > 1]
    return max(large, key=lambda f: (len(members[f]), -len(f)), default=None)


def _group(path: Sequence[str], family: tuple[str, ...] | None) -> str:
    for found, number in _families(path):
        if found == family:
            return number
    return path[-2] if len(path) > 1 else "".join(path) or "parameters"


def _tensor(group: str) -> str:
    return f"L{group}" if group.isdigit() else group


def _norm(leaf: Any) -> Any:
    return jnp.sqrt(jnp.sum(jnp.square(jnp.abs(leaf).astype(jnp.float32))))


def _joined(several: Iterable[Any]) -> Any:
    return jnp.sqrt(sum((jnp.square(norm) for norm in several), jnp.float32(0)))


def _ratio(update: Any, weight: Any) -> Any:
    return update / jnp.maximum(weight, 1e-30)
