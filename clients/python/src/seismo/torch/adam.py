"""What Adam's kin let one change while they run: decay, ε, β₂, and the clipping of updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..settings import Setting

Group = dict[str, Any]


class AdamSettings:
    """The settings that stand in an optimizer's parameter groups."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self._optimizers = optimizers
        self._decays = [float(group.get("weight_decay", 0.0)) for group in self._groups()]

    def _groups(self) -> list[Group]:
        return [group for optimizer in self._optimizers for group in optimizer.param_groups]

    def _with(self, key: str) -> list[Group]:
        return [group for group in self._groups() if key in group]

    @property
    def has_second_moment(self) -> bool:
        return bool(self._with("betas"))

    def settings(self) -> list[Setting]:
        settings = []
        if self._with("weight_decay"):
            settings.append(
                Setting(
                    "weight_decay", self.decay, self.set_decay, "number", 0, 1, usual=0.1,
                    help="decay, torch's times the rate; groups that have none keep none",
                )
            )  # fmt: skip
        if self._with("betas"):
            settings.append(
                Setting(
                    "adam_beta2", lambda: self._with("betas")[0]["betas"][1], self.set_beta2,
                    "number", 0.1, 0.99999, usual=0.95,
                    help="memory of Adam's second moment: lower it when spikes follow a stale one",
                )
            )  # fmt: skip
        if self._with("betas") and self._with("eps"):
            settings.append(
                Setting(
                    "adam_eps", lambda: self._with("eps")[0]["eps"], self.set_epsilon,
                    "number", 1e-20, 1, usual=1e-8,
                    help="Adam's ε: lower it when the gradients' RMS comes near it",
                )
            )  # fmt: skip
        return settings

    def decay(self) -> float:
        return max(
            (float(group["weight_decay"]) for group in self._with("weight_decay")), default=0
        )

    def set_decay(self, value: float) -> None:
        """The groups keep their ratios; where none decayed, those that hold matrices do."""
        highest = max(self._decays, default=0.0)
        for group, decay in zip(self._groups(), self._decays):
            if "weight_decay" not in group:
                continue
            if highest > 0:
                group["weight_decay"] = float(value) * (decay / highest)
            elif any(parameter.dim() > 1 for parameter in group["params"]):
                group["weight_decay"] = float(value)

    def set_epsilon(self, value: float) -> None:
        for group in self._with("eps"):
            group["eps"] = float(value)

    @torch.no_grad()
    def set_beta2(self, value: float) -> None:
        """Changes β₂ without a jump of the updates.

        v̂ = v/(1 − β₂ᵗ) divides by the share of v that is not its zero at the start. With another β₂
        that share would be another one at once, so v is scaled to keep v̂, which then goes on with
        the new memory.
        """
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                if "betas" in group:
                    _keep_second_moment(optimizer, group, float(value))
                    group["betas"] = (group["betas"][0], float(value))

    def state(self) -> dict[str, Any]:
        """Groups are saved by their optimizer; this is what they began with."""
        return {"decays": self._decays}

    def restore(self, state: dict[str, Any]) -> None:
        self._decays = [float(value) for value in state["decays"]]


def _keep_second_moment(optimizer: torch.optim.Optimizer, group: Group, beta: float) -> None:
    before = group["betas"][1]
    for parameter in group["params"]:
        state = optimizer.state.get(parameter)
        if not state or "step" not in state:
            continue
        steps = state["step"]
        if isinstance(steps, Tensor):
            steps = steps.double()
        factor: Any = (1 - beta**steps) / (1 - before**steps)
        for name in ("exp_avg_sq", "max_exp_avg_sq"):
            moment = state.get(name)
            if isinstance(moment, Tensor):
                moment.mul_(factor.to(moment.device) if isinstance(factor, Tensor) else factor)


class UpdateClip:
    """Cuts a tensor's rate where its gradient outruns Adam's second moment.

    With RMS = √mean(g²/max(v̂, ε²)), v̂ holding g already, the tensor's step is divided by
    max(1, RMS/threshold), decay included. It keeps the parameters from before the step: as much
    memory again.

    Source: Wortsman et al. 2023, 2304.13013, section 3.5 (StableAdamW); there the threshold is 1.
    """

    def __init__(self) -> None:
        self.threshold = 0.0
        self._before: list[tuple[Tensor, Tensor, Tensor]] = []

    def setting(self) -> Setting:
        def put(value: float) -> None:
            self.threshold = float(value)

        return Setting(
            "update_clip", lambda: self.threshold, put, "number", 0, 1000, usual=1.0,
            help="cuts a tensor's rate where gradients outrun Adam's second moment; 1 is usual",
        )  # fmt: skip

    @torch.no_grad()
    def before_step(self, optimizer: torch.optim.Optimizer) -> None:
        self._before.clear()
        if self.threshold <= 0:
            return
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                excess = self._excess(optimizer, group, parameter)
                if excess is not None:
                    self._before.append((parameter, parameter.detach().clone(), excess))

    def _excess(
        self, optimizer: torch.optim.Optimizer, group: Group, parameter: Tensor
    ) -> Tensor | None:
        """The share of the step that is taken back."""
        gradient, state = parameter.grad, optimizer.state.get(parameter)
        if gradient is None or not state or "exp_avg_sq" not in state or "betas" not in group:
            return None
        beta = group["betas"][1]
        square = gradient.float().square()
        steps = state["step"] + 1
        correction: Any = 1 - beta ** (steps.double() if isinstance(steps, Tensor) else steps)
        if isinstance(correction, Tensor):
            correction = correction.to(square.device, torch.float32, non_blocking=True)
        second = (state["exp_avg_sq"].float() * beta + square * (1 - beta)) / correction
        rms: Tensor = (square / second.clamp(min=group["eps"] ** 2)).mean().sqrt()
        excess: Tensor = 1 - 1 / (rms / self.threshold).clamp(min=1.0)
        return excess

    @torch.no_grad()
    def after_step(self) -> None:
        for parameter, before, excess in self._before:
            parameter.lerp_(before, excess.to(parameter.dtype))
        self._before.clear()
