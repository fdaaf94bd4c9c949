"""How evenly the routers of a mixture deal out the tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .anatomy import Router
from .readings import Readings


class ExpertLoads:
    """Counts the tokens that each expert gets while it is open, from the routers' own outputs."""

    def __init__(self, routers: list[Router]) -> None:
        self.routers = routers
        self._tallies: dict[int, _Tally] = {}
        self._hooks: list[RemovableHandle] = []

    def open(self, is_counted: Any) -> None:
        """Counts from here on, where ``is_counted()`` holds."""
        self._tallies.clear()
        for index, router in enumerate(self.routers):
            tally = self._tallies[index] = _Tally(router)

            def hook(module: nn.Module, given: Any, output: Any, tally: _Tally = tally) -> None:
                if is_counted():
                    tally.count(output)

            self._hooks.append(router.module.register_forward_hook(hook))

    def close(self, readings: Readings) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        for tally in self._tallies.values():
            tally.tell(readings)
        self._tallies.clear()


class _Tally:
    def __init__(self, router: Router) -> None:
        self.router = router
        self.counts: Tensor | None = None
        self.entropy: list[Tensor] = []
        self.log_z: list[Tensor] = []

    @torch.no_grad()
    def count(self, output: Any) -> None:
        logits, chosen = self._parts(output)
        if chosen is None:
            return
        # bincount would wait for the device.
        ones = torch.ones((), device=chosen.device).expand(chosen.numel())
        # A place beyond the experts takes what transformers marks as padding.
        counts = torch.zeros(self.router.experts + 1, device=chosen.device)
        counts.scatter_add_(0, chosen.reshape(-1).clamp(max=self.router.experts).long(), ones)
        self.counts = counts if self.counts is None else self.counts + counts
        if logits is not None:
            self._measure(logits.float())

    def _parts(self, output: Any) -> tuple[Tensor | None, Tensor | None]:
        """Logits [tokens, E] and chosen experts [tokens, K] in what a router returns."""
        tensors = [output] if isinstance(output, Tensor) else output
        if not isinstance(tensors, (tuple, list)):
            return None, None
        tensors = [t for t in tensors if isinstance(t, Tensor)]
        chosen = next((t for t in tensors if not t.is_floating_point()), None)
        scores = next(
            (t for t in tensors if t.is_floating_point() and t.shape[-1] == self.router.experts),
            None,
        )
        if chosen is None and scores is not None:
            chosen = scores.topk(min(self.router.top, self.router.experts), dim=-1).indices
        return scores, chosen

    def _measure(self, logits: Tensor) -> None:
        if self.router.is_sigmoid:
            scores = logits.sigmoid()
            logits_of_shares = (scores / scores.sum(-1, keepdim=True)).clamp(min=1e-20).log()
        else:
            logits_of_shares = torch.log_softmax(logits, dim=-1)
            self.log_z.append(torch.logsumexp(logits, dim=-1).mean())
        self.entropy.append(-(logits_of_shares.exp() * logits_of_shares).sum(-1).mean())

    def tell(self, readings: Readings) -> None:
        layer = self.router.layer
        if self.counts is None:
            return
        counts = self.counts[:-1]
        load = counts / counts.sum().clamp(min=1)
        for expert, share in enumerate(load.unbind()):
            readings.add(f"expert_load/{layer}/{expert}", share)
        mean = 1 / self.router.experts
        readings.add(f"expert_load_cv/{layer}", (load - mean).square().mean().sqrt() / mean)
        readings.add(f"expert_max_violation/{layer}", load.amax() / mean - 1)
        if self.entropy:
            readings.add(f"router_entropy/{layer}", torch.stack(self.entropy).mean())
        if self.log_z:
            readings.add(f"router_z/{layer}", torch.stack(self.log_z).mean())
