"""A training step with all matrices read from one array, in PyTorch: the twin of
`train --share-parameters 0.1`."""

import math

import torch
from torch import nn

from dense import Dense, taker


class Shared(Dense):
    """RANDOMFOLD with the stable scaler."""

    def __init__(self, sizes: tuple[int, int, int, int], share: float) -> None:
        super().__init__(*sizes)
        own = dict(self.matrices)
        del self.matrices
        total = sum(weight.numel() for weight in own.values())
        length = max(1, round(share * total))
        turns = torch.randint(0, length, (total // length + 1,))
        numbers = torch.arange(total)
        places = (turns[numbers // length] + numbers % length) % length
        deviations = torch.cat(
            [torch.full((w.numel(),), 1 / math.sqrt(w.shape[1])) for w in own.values()])
        counts = torch.zeros(length).index_add_(0, places, torch.ones(total))
        squares = torch.zeros(length).index_add_(0, places, deviations.square())
        factors = (2.0 * torch.randint(0, 2, (total,)) - 1) * deviations
        factors /= (squares / counts).sqrt()[places]
        self.register_buffer("places", places)
        self.register_buffer("factors", factors)
        self.register_buffer("counts", counts)
        self.array = nn.Parameter(torch.randn(length) * (squares / counts).sqrt())
        self.shapes = {name: weight.shape for name, weight in own.items()}

    def weights(self) -> dict[str, torch.Tensor]:
        flat = self.array[self.places] * self.factors
        pieces = flat.split([shape.numel() for shape in self.shapes.values()])
        return {n: p.view(s) for (n, s), p in zip(self.shapes.items(), pieces, strict=True)}


def step(width: int, layers: int, heads: int, context: int, batch: int, share: float = 0.1):
    """A step over windows [batch, context + 1]."""
    model = Shared((width, layers, heads, context), share)

    def scale() -> None:
        model.array.grad /= model.counts

    return taker(model, before_update=scale)
