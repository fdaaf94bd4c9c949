"""A model under observation: which of its blocks is running, and who wants to know.

Probes and mitigations of one model share its host, so that gradients are measured before they are
clipped whatever order the two were asked for in.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Callable, Optional, Protocol

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from . import anatomy
from .attention import Call, Kernel
from .outputs import logits_in


class LogitChange(Protocol):
    """What a mitigation does to attention logits."""

    @property
    def is_idle(self) -> bool: ...

    def prepared(self, call: Call) -> Call:
        """The call whose logits are in force."""

    def attend(self, call: Call, prepared: Call, kernel: Kernel) -> Tensor: ...

    @property
    def cap_inverse(self) -> Tensor | None: ...


class Observer(Protocol):
    """Who is told of a host's steps: the probes first, then the mitigations."""

    def before_clipping(self) -> None:
        """Gradients are whole and not clipped yet, for the last time in this step."""

    def bound(self, parameters: Any, bound: float, clip: Callable[[Any], Any]) -> Any:
        """The loop clips its gradients; returns their norm."""

    def before_step(self, optimizer: torch.optim.Optimizer) -> None: ...

    def after_step(self, optimizer: torch.optim.Optimizer) -> None: ...


AttentionProbe = Callable[[int, Call, Optional[Tensor]], None]


class Host:
    """One model; ``host_of`` makes it once."""

    def __init__(self, model: nn.Module, blocks: Sequence[nn.Module] | None = None) -> None:
        self.model = anatomy.unwrapped(model)
        self.blocks = list(blocks) if blocks is not None else anatomy.blocks_of(model)
        self.groups = anatomy.parameter_groups(self.model, self.blocks)
        #: The block that is running; the number of blocks where none is.
        self.block = len(self.blocks)
        #: Calls of attention while it was measured or changed.
        self.calls = 0
        #: Whether a call of attention has been compiled.
        self.is_compiled = False
        #: Whether what the model returns is kept until the optimizer steps.
        self.keeps_logits = False
        self.logits: Tensor | None = None
        self.change: LogitChange | None = None
        self.attention_probe: AttentionProbe | None = None
        self.probes: Observer | None = None
        self.mitigations: Observer | None = None
        self._parameters = {id(p) for p in self.model.parameters()}
        self._hooks: list[RemovableHandle] = []
        self._users = 0
        self._optimizers: list[torch.optim.Optimizer] = []

    @property
    def is_idle(self) -> bool:
        return self.attention_probe is None and (self.change is None or self.change.is_idle)

    def holds(self, parameter: object) -> bool:
        return id(parameter) in self._parameters

    # Forward passes

    def open(self, outermost: nn.Module) -> None:
        """From here on its passes are seen; as often as it is called, ``close`` must be."""
        self._users += 1
        if self._users > 1:
            return
        modules = {id(outermost): outermost, id(self.model): self.model}
        for module in modules.values():
            self._hooks.append(module.register_forward_pre_hook(self._enter))
            self._hooks.append(module.register_forward_hook(self._leave))
        for number, block in enumerate(self.blocks):
            self._hooks.append(block.register_forward_pre_hook(_Entering(self, number)))
            self._hooks.append(block.register_forward_hook(_Leaving(self)))

    def close(self) -> None:
        self._users -= 1
        if self._users > 0:
            return
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        if _place.host is self:
            _place.host = None

    def _enter(self, module: nn.Module, given: Any) -> None:
        _place.host = self
        _place.is_in_model = True
        self.block = len(self.blocks)

    def _leave(self, module: nn.Module, given: Any, output: Any) -> None:
        _place.host = None
        _place.is_in_model = False
        if self.keeps_logits and torch.is_grad_enabled():
            self.logits = logits_in(output)

    def attend(self, call: Call, kernel: Kernel) -> Tensor:
        """Attention as it is under the mitigations, measured where this step is probed."""
        is_compiling = torch.compiler.is_compiling()
        if is_compiling:
            # A count would be another one, and so another compilation, for every step.
            self.is_compiled = True
        else:
            self.calls += 1
        change = self.change
        if change is not None and change.is_idle:
            change = None
        prepared = call if change is None else change.prepared(call)
        probe = self.attention_probe
        if probe is not None and not is_compiling and not is_recomputing():
            probe(self.block, prepared, None if change is None else change.cap_inverse)
        if change is None:
            return call.run(kernel)
        return change.attend(call, prepared, kernel)

    # Steps

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Tells the observers of its steps."""
        if any(known is optimizer for known in self._optimizers):
            return
        self._optimizers.append(optimizer)
        optimizer.register_step_pre_hook(lambda which, *_: self._before_step(which))
        optimizer.register_step_post_hook(lambda which, *_: self._after_step(which))

    def _before_step(self, optimizer: torch.optim.Optimizer) -> None:
        if torch.compiler.is_compiling():
            return
        for observer in (self.probes, self.mitigations):
            if observer is not None:
                observer.before_step(optimizer)

    def _after_step(self, optimizer: torch.optim.Optimizer) -> None:
        if torch.compiler.is_compiling():
            return
        for observer in (self.probes, self.mitigations):
            if observer is not None:
                observer.after_step(optimizer)

    def before_clipping(self) -> None:
        if self.probes is not None:
            self.probes.before_clipping()

    def clip(self, parameters: Any, bound: float, clip: Callable[[Any], Any]) -> Any:
        """The loop's own clipping, under the bound in force."""
        self.before_clipping()
        if self.mitigations is None:
            return clip(bound)
        return self.mitigations.bound(parameters, bound, clip)


class _Entering:
    """Notes that a block runs: also when it is computed again in the backward pass, alone."""

    def __init__(self, host: Host, number: int) -> None:
        self.host = host
        self.number = number

    def __call__(self, module: nn.Module, given: Any) -> None:
        _place.host = self.host
        self.host.block = self.number


class _Leaving:
    def __init__(self, host: Host) -> None:
        self.host = host

    def __call__(self, module: nn.Module, given: Any, output: Any) -> None:
        self.host.block = len(self.host.blocks)
        if not _place.is_in_model:
            _place.host = None


class Resumed:
    """A function that runs in the place where it was made.

    What a checkpoint of activations computes again going backward has the host, or the want of one,
    that it had going forward.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.host = running_host()
        self.block = 0 if self.host is None else self.host.block

    def __call__(self, *given: Any, **named: Any) -> Any:
        before = _place.host, _place.is_known
        _place.host, _place.is_known = self.host, True
        if self.host is not None:
            self.host.block = self.block
        try:
            return self.function(*given, **named)
        finally:
            _place.host, _place.is_known = before


class _Place:
    """Where the program is. One for all threads: the backward pass of a GPU has its own."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.is_in_model = False
        #: Whether a pass that has no host is known to have none.
        self.is_known = False
        #: The host whose attention is changed, if it is the only one; weakly, for it has a model.
        self.changed: Callable[[], Host | None] = _none


def _none() -> None:
    return None


_place = _Place()
_hosts: weakref.WeakSet[Host] = weakref.WeakSet()


def host_of(model: nn.Module, blocks: Sequence[nn.Module] | None = None) -> Host:
    """The host of a model, made where there is none yet."""
    inner = anatomy.unwrapped(model)
    host = next((host for host in _hosts if host.model is inner), None)
    if host is None:
        host = Host(inner, blocks)
        _hosts.add(host)
    return host


def host_holding(parameter: object) -> Host | None:
    """The host whose model has this parameter."""
    return next((host for host in _hosts if host.holds(parameter)), None)


def running_host() -> Host | None:
    """The host whose model is running.

    What is computed again in the backward pass may run without the hooks of its block, and without
    ``Resumed`` where its function was bound early; then it is the host whose attention is changed.
    """
    if _place.host is not None or _place.is_known or torch.compiler.is_compiling():
        return _place.host
    changed = _place.changed()
    return changed if changed is not None and is_recomputing() else None


def note_changed() -> None:
    """Notes whose attention may be changed, after that of one host has begun or ended."""
    changed = [host for host in _hosts if host.change is not None]
    _place.changed = weakref.ref(changed[0]) if len(changed) == 1 else _none


def is_recomputing() -> bool:
    """Whether this is a forward pass within a backward one, as activation checkpointing makes."""
    if torch.compiler.is_compiling():
        return False
    task: int = torch._C._current_graph_task_id()
    return task != -1
