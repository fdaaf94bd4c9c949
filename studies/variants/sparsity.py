"""A training step with blocks left out, in PyTorch: the twin of `train --sparsity 0.8`.

The matrices are whole in memory, as they are here, and masked after each step; the exchange of blocks
every so many steps is no part of it.
"""

import torch

from variants import plain

SIDE = 16


def step(width: int, layers: int, heads: int, context: int, batch: int, sparsity: float = 0.8):
    """A step over windows [batch, context + 1]."""
    model = plain.model(width, layers, heads, context)
    masks = []
    for name, weight in model.named_parameters():
        if "mixer" not in name and "feed_forward" not in name:
            continue
        rows, columns = weight.shape[0] // SIDE, weight.shape[1] // SIDE
        blocks = torch.zeros(rows * columns)
        blocks[torch.randperm(rows * columns)[: max(1, round(rows * columns * (1 - sparsity)))]] = 1
        mask = blocks.view(rows, 1, columns, 1).expand(-1, SIDE, -1, SIDE).reshape(weight.shape)
        weight.data *= mask
        weight.register_hook(lambda gradient, mask=mask: gradient * mask)
        masks.append((weight, mask))

    @torch.no_grad()
    def move(advance) -> None:
        advance()
        for weight, mask in masks:
            weight *= mask

    return plain.descend(model, move)
