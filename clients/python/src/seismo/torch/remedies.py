"""Remedies in somebody else's model, switched while it trains: ``seismo.mitigations``."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor, nn

from ..multiplier import NAME as MULTIPLIER
from ..multiplier import multiplier
from ..run import Run, current_run
from ..settings import Refused, Setting
from . import anatomy, standins
from .adam import AdamSettings, UpdateClip
from .change import AttentionChange
from .clipping import ZClip, clip_factor, norm_of_all, scale_all
from .host import host_of, note_changed
from .optimizers import Optimizers, listed
from .outputs import squared_log_z

#: Under which the optimizer's ``state_dict`` holds them.
STATE = "seismo"
BLEND_STEPS = 100


def mitigations(
    model: nn.Module,
    optimizer: Optimizers,
    *,
    run: Run | None = None,
    blend_steps: int = BLEND_STEPS,
    blocks: Sequence[nn.Module] | None = None,
) -> Mitigations:
    """Declares remedies that a person may switch while the model trains, and undo.

    ``qk_layernorm``, ``logit_softcap``, ``z_loss`` (where the loss goes through ``seismo.loss``),
    ``grad_clip``, ``zclip``, ``update_clip``, ``lr.multiplier``, ``weight_decay``, ``adam_beta2``,
    ``adam_eps`` and ``freeze``, as far as the model and its optimizer have a use for them. The
    model's code stays as it is. Call it on every rank, before the model is compiled.

    They are in the optimizer's ``state_dict`` while any is in force, and come back with it.

    Args:
        optimizer: one, or all that train the model.
        run: the present one, where it is left out; without any, ``set`` switches them.
        blend_steps: over which the attention logits go from the old to the new ones.
        blocks: the modules that count as layers, where they are not found.
    """
    return Mitigations(model, listed(optimizer), run or current_run(), blend_steps, blocks)


class Mitigations:
    """What ``mitigations`` returns."""

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        run: Run | None,
        blend_steps: int,
        blocks: Sequence[nn.Module] | None,
    ) -> None:
        self.run = run
        self.host = host_of(model, blocks)
        self.optimizers = list(optimizers)
        self._blend_steps = max(1, blend_steps)
        self.change = AttentionChange(self._blend_steps, _device_of(self.host.model))
        self.z_loss = 0.0
        self._grad_clip: float | None = None
        self._loops_bound = 0.0
        self._zclip: ZClip | None = None
        self._update_clip = UpdateClip()
        self._frozen = 0
        self._steps = 0
        self._is_clipped = False
        self._stepped: set[int] = set()
        self._calls_before: int | None = None
        #: Whether a loss of the present step has been handed over.
        self.has_loss = False
        self._tells_lost_loss = True
        self._adam = AdamSettings(self.optimizers)
        self.settings = {setting.name: setting for setting in self._declared(run)}
        self._beginning = self.state_dict()
        self._attach(model)
        if run is not None:
            run.declare(*self.settings.values())

    def set(self, name: str, value: Any) -> None:
        """Switches one by hand, between two steps.

        Raises:
            KeyError: where it is not declared.
            Refused: where it may not take the value.
        """
        self.settings[name].set(value)

    def remove(self) -> None:
        """Ends what it does to the model; what it has set in the optimizer's groups stays."""
        self._set_z_loss(0.0)
        self._grad_clip, self._zclip, self._frozen = None, None, 0
        self._update_clip.threshold = 0.0
        if self.host.mitigations is self:
            self.host.mitigations = None
            self.host.change = None
            self.host.close()
        note_changed()
        _choose_fast_path(self, is_changed=False)
        _all.discard(self)

    def __getitem__(self, name: str) -> Any:
        """The value in force."""
        return self.settings[name].value

    def _attach(self, model: nn.Module) -> None:
        standins.install()
        self.host.change = self.change
        self.host.mitigations = self
        self.host.open(model)
        note_changed()
        for optimizer in self.optimizers:
            self.host.attach(optimizer)
        first = self.optimizers[0] if self.optimizers else None
        if first is not None and hasattr(first, "register_state_dict_post_hook"):
            first.register_state_dict_post_hook(self._save)
            first.register_load_state_dict_pre_hook(self._load)
        _all.add(self)

    # What is declared

    def _declared(self, run: Run | None) -> list[Setting]:
        settings = [
            Setting(
                "qk_layernorm", lambda: self.change.normalisation.target > 0, self._normalise,
                "flag", help="layer-normalises queries and keys: stops attention-logit growth",
                blend_steps=self._blend_steps,
            ),
            Setting(
                "logit_softcap", self._cap, self._set_cap, "number", 0, 1e6, usual=50.0,
                help="bounds attention logits by c·tanh(z/c), by blocks in place of the fused "
                "kernel: slower; 50 is usual, 0 is off", blend_steps=self._blend_steps,
            ),
            Setting(
                "z_loss", lambda: self.z_loss, self._set_z_loss, "number", 0, 10, usual=1e-4,
                help="penalises (log Z)² where the loss goes through seismo.loss; 1e-4 is usual",
            ),
            Setting(
                "grad_clip", self._clip_in_force, self._set_grad_clip, "number", 0, 1e6, usual=1.0,
                help="bounds the global gradient norm, in the loop's own call where it clips; "
                "0 is off",
            ),
            Setting(
                "zclip", lambda: self._zclip is not None, self._set_zclip, "flag",
                help="lowers a gradient norm that stands out from the last steps': tames spikes",
            ),
        ]  # fmt: skip
        if self.host.blocks:
            settings.append(
                Setting(
                    "freeze", lambda: self._frozen, self._freeze, "number", 0,
                    len(self.host.blocks), usual=1.0,
                    help="keeps the embedding and so many blocks as they are; 0 trains all",
                )
            )  # fmt: skip
        settings += self._adam.settings()
        if self._adam.has_second_moment:
            settings.append(self._update_clip.setting())
        # One that the loop has declared itself stays in force.
        if self.optimizers and not _declares(run, MULTIPLIER):
            settings.append(multiplier(*self.optimizers))
        return settings

    def _normalise(self, is_on: bool) -> None:
        self.change.normalisation.move(1.0 if is_on else 0.0, self._steps)
        self._changed_attention()

    def _cap(self) -> float:
        inverse = self.change.cap.target
        return 1 / inverse if inverse > 0 else 0.0

    def _set_cap(self, cap: float) -> None:
        self.change.cap.move(1 / cap if cap > 0 else 0.0, self._steps)
        self._changed_attention()

    def _changed_attention(self) -> None:
        standins.install()
        self._calls_before = self.host.calls
        self._move()

    def _set_z_loss(self, weight: float) -> None:
        self.z_loss = float(weight)
        self.host.keeps_logits = weight > 0

    def _clip_in_force(self) -> float:
        return self._loops_bound if self._grad_clip is None else self._grad_clip

    def _set_grad_clip(self, bound: float) -> None:
        self._grad_clip = float(bound)

    def _set_zclip(self, is_on: bool) -> None:
        if is_on != (self._zclip is not None):
            self._zclip = ZClip() if is_on else None

    def _freeze(self, blocks: float) -> None:
        if not 0 <= blocks <= len(self.host.blocks) or int(blocks) != blocks:
            raise Refused(f"freeze {blocks:g}: give a whole number up to {len(self.host.blocks)}")
        self._frozen = int(blocks)

    # The host's observer

    def before_clipping(self) -> None:
        pass

    def bound(self, parameters: Any, bound: float, clip: Callable[[Any], Any]) -> Any:
        """The loop clips: with the bound in force in place of its own."""
        if not isinstance(bound, Tensor):
            self._loops_bound = float(bound) if bound != torch.inf else 0.0
        self._is_clipped = True
        self._keep_frozen()
        if self._grad_clip is not None:
            bound = self._grad_clip if self._grad_clip > 0 else torch.inf
        if self._zclip is None:
            return clip(bound)
        norm = clip(torch.inf)
        held = [parameters] if isinstance(parameters, Tensor) else parameters
        gradients = [p.grad for p in held if p.grad is not None]
        if gradients:
            whole = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
            scale_all(gradients, self._factor(whole, float(bound)))
        return norm

    def before_step(self, optimizer: torch.optim.Optimizer) -> None:
        self._keep_frozen()
        if not self._is_clipped:
            self._is_clipped = True
            self._clip(getattr(optimizer, "grad_scale", None))
        self._update_clip.before_step(optimizer)

    def after_step(self, optimizer: torch.optim.Optimizer) -> None:
        self._update_clip.after_step()
        if id(optimizer) in self._stepped:
            self._stepped.clear()
        self._stepped.add(id(optimizer))
        if len(self._stepped) < len(self.optimizers):
            return
        self._stepped.clear()
        self._is_clipped = False
        self.host.logits = None
        self._tell_unreached()
        self._tell_lost_loss()
        self._steps += 1
        self._move()

    def _move(self) -> None:
        """Takes the weights of the step that comes."""
        was_idle = self.change.is_idle
        self.change.move_to(self._steps)
        if was_idle != self.change.is_idle:
            _choose_fast_path(self, is_changed=was_idle)

    def _tell_unreached(self) -> None:
        """Says so where a switch of the attention met none."""
        before, self._calls_before = self._calls_before, None
        if before is None or self.host.calls > before or self.run is None:
            return
        if not self.change.is_idle and not self.host.is_compiled:
            self.run.note(
                "seismo.mitigations: the switch reaches no attention: the model does not call "
                "torch's scaled_dot_product_attention"
            )
        elif self.change.is_idle:
            # In the step of the switch the old logits are in force; the next one will tell.
            self._calls_before = before

    def _tell_lost_loss(self) -> None:
        """Says once that z-loss is on and no loss was handed over to add it to."""
        is_lost = self.z_loss > 0 and not self.has_loss
        self.has_loss = False
        if is_lost and self._tells_lost_loss and self.run is not None:
            self._tells_lost_loss = False
            self.run.note(
                "seismo.mitigations: z_loss changes nothing: the loop does not write "
                "loss = seismo.loss(loss), or the loss comes from no logits of this model"
            )

    def _keep_frozen(self) -> None:
        """Parameters without a gradient are left as they are by every optimizer of torch."""
        if not self._frozen:
            return
        for parameter in anatomy.embeddings_of(self.host.model, self.host.blocks):
            parameter.grad = None
        for block in self.host.blocks[: self._frozen]:
            for parameter in block.parameters():
                parameter.grad = None

    def _clip(self, scale: Tensor | None) -> None:
        bound = self._grad_clip or 0.0
        if bound <= 0 and self._zclip is None:
            return
        gradients = [p.grad for p in self.host.model.parameters() if p.grad is not None]
        if not gradients:
            return
        norm = norm_of_all(gradients)
        if scale is not None:
            norm = norm / scale.to(norm.device)
        scale_all(gradients, self._factor(norm, bound))

    def _factor(self, norm: Tensor, bound: float) -> Tensor:
        limit = None if self._zclip is None else self._zclip.limit(norm)
        return clip_factor(norm, bound if bound != torch.inf else 0.0, limit)

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers: what is in force, and how far the blends are."""
        return {
            "version": 1,
            "steps": self._steps,
            "normalisation": self.change.normalisation.state(),
            "cap": self.change.cap.state(),
            "z_loss": self.z_loss,
            "grad_clip": self._grad_clip,
            "zclip": None if self._zclip is None else self._zclip.state(),
            "update_clip": self._update_clip.threshold,
            "freeze": self._frozen,
            "multiplier": self._multiplier(),
            "adam": self._adam.state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes up where ``state_dict`` was asked."""
        self._steps = int(state["steps"])
        self.change.normalisation.restore(state["normalisation"])
        self.change.cap.restore(state["cap"])
        self._set_z_loss(state["z_loss"])
        self._grad_clip = state["grad_clip"]
        self._zclip = None
        if state["zclip"] is not None:
            self._zclip = ZClip()
            self._zclip.restore(state["zclip"])
        self._update_clip.threshold = float(state["update_clip"])
        self._frozen = int(state["freeze"])
        factor = self.settings.get(MULTIPLIER)
        if factor is not None:
            factor.set(state["multiplier"])
        self._adam.restore(state["adam"])
        standins.install()
        self._move()

    def _multiplier(self) -> float:
        factor = getattr(self, "settings", {}).get(MULTIPLIER)
        return 1.0 if factor is None else float(factor.value)

    def _save(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        present = self.state_dict()
        if {**present, "steps": 0} != self._beginning:
            state[STATE] = present

    def _load(
        self, optimizer: torch.optim.Optimizer, state: dict[str, Any]
    ) -> dict[str, Any] | None:
        self.load_state_dict(state.get(STATE, self._beginning))
        return {key: value for key, value in state.items() if key != STATE}


_all: weakref.WeakSet[Mitigations] = weakref.WeakSet()
_changing: weakref.WeakSet[Mitigations] = weakref.WeakSet()
_had_fast_path = True


def _choose_fast_path(mitigation: Mitigations, is_changed: bool) -> None:
    """The fast path of nn.TransformerEncoderLayer and nn.MultiheadAttention, taken in evaluation,
    calls nothing that could be stood in for: it is off while any model's attention is changed."""
    global _had_fast_path
    had_any = bool(_changing)
    if is_changed:
        _changing.add(mitigation)
    else:
        _changing.discard(mitigation)
    if not had_any and _changing:
        _had_fast_path = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
    elif had_any and not _changing:
        torch.backends.mha.set_fastpath_enabled(_had_fast_path)


def remove_mitigations() -> None:
    """Ends those of every model."""
    for mitigation in list(_all):
        mitigation.remove()


def loss(
    value: Tensor,
    logits: Tensor | None = None,
    targets: Tensor | None = None,
    ignore_index: int = -100,
) -> Tensor:
    """The loss to go backward from: with the gradient of z-loss while it is switched on.

    Its value stays that of the loss handed in, so that what is logged has no z-loss in it. Hand it
    over before it is divided among accumulated batches.

    Args:
        logits: of the pass that gave the loss; left out, those that the model returned last.
        targets: only where they are not ``ignore_index`` is log Z penalised; left out, everywhere.
    """
    for mitigation in list(_all):
        if mitigation.z_loss <= 0:
            continue
        found = mitigation.host.logits if logits is None else logits
        if found is None or not found.requires_grad:
            continue
        if logits is None and not _comes_from(value, found):
            continue
        mitigation.has_loss = True
        penalty = mitigation.z_loss * squared_log_z(found, targets, ignore_index)
        return value + (penalty - penalty.detach()).to(value.dtype)
    return value


def _comes_from(loss: Tensor, logits: Tensor, furthest: int = 1000) -> bool:
    """Whether the loss was computed from these logits: they stand near the end of its graph."""
    waiting: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while waiting and len(seen) < furthest:
        node = waiting.pop(0)
        if node is logits.grad_fn:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [next_node for next_node, _ in node.next_functions]
    return False


def _declares(run: Run | None, name: str) -> bool:
    try:
        if run is not None:
            run.setting(name)
            return True
    except KeyError:
        pass
    return False


def _device_of(model: nn.Module) -> torch.device:
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device
