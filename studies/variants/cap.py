"""A training step that bounds each tensor's change: the twin of `--update-cap 0.01`."""

import torch

from variants import plain

CAP = 0.01


def step(width: int, layers: int, heads: int, context: int, batch: int):
    model = plain.model(width, layers, heads, context)
    parameters = list(model.parameters())

    @torch.no_grad()
    def move(advance) -> None:
        before = [p.clone() for p in parameters]
        advance()
        changes = torch._foreach_sub(parameters, before)
        sizes = torch._foreach_norm(changes)
        for p, old, change, size in zip(parameters, before, changes, sizes):
            limit = CAP * torch.clamp(old.norm(), min=1e-3 * p.numel() ** 0.5)
            p.copy_(old + change * torch.clamp(limit / (size + 1e-30), max=1))

    return plain.descend(model, move)
