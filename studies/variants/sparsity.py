"""A training step with blocks left out, in PyTorch: the twin of `train --sparsity 0.8`.

The matrices are whole in memory, as they are here, and masked after each step; an exchange of blocks
every so many steps is no part of it.
"""

import torch

from dense import Dense, taker

SIDE = 16


def step(width: int, layers: int, heads: int, context: int, batch: int, sparsity: float = 0.8):
    """A step over windows [batch, context + 1]."""
    model = Dense(width, layers, heads, context)
    masks = {}
    for name, weight in model.matrices.items():
        rows, columns = weight.shape[0] // SIDE, weight.shape[1] // SIDE
        mask = torch.zeros(rows * columns)
        mask[torch.randperm(rows * columns)[: max(1, round(rows * columns * (1 - sparsity)))]] = 1
        blocks = mask.view(rows, 1, columns, 1).expand(-1, SIDE, -1, SIDE)
        masks[name] = blocks.reshape(weight.shape)
        weight.data *= masks[name]

    def mask_gradients() -> None:
        for name, weight in model.matrices.items():
            weight.grad *= masks[name]

    def mask_weights() -> None:
        for name, weight in model.matrices.items():
            weight.data *= masks[name]

    return taker(model, mask_gradients, mask_weights)
