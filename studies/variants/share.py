"""A training step with all matrices read from one array, in PyTorch: the twin of
`train --share-parameters 0.1`."""

import math

import torch
from torch import nn

from variants import plain


class Shared(nn.Module):
    """RANDOMFOLD with the stable scaler over the plain model's matrices."""

    def __init__(self, model: nn.Module, share: float) -> None:
        super().__init__()
        self.model = model
        self.own = {name: weight for name, weight in model.named_parameters()
                    if "mixer" in name or "feed_forward" in name}
        for weight in self.own.values():
            weight.requires_grad_(False)
        total = sum(weight.numel() for weight in self.own.values())
        length = max(1, round(share * total))
        turns = torch.randint(0, length, (total // length + 1,))
        numbers = torch.arange(total)
        places = (turns[numbers // length] + numbers % length) % length
        deviations = torch.cat(
            [torch.full((w.numel(),), 1 / math.sqrt(w.shape[1])) for w in self.own.values()])
        counts = torch.zeros(length).index_add_(0, places, torch.ones(total))
        squares = torch.zeros(length).index_add_(0, places, deviations.square())
        signs = 2.0 * torch.randint(0, 2, (total,)) - 1
        self.places, self.counts = places, counts
        self.factors = signs * deviations / (squares / counts).sqrt()[places]
        self.array = nn.Parameter(torch.randn(length) * (squares / counts).sqrt())
        self.array.register_hook(lambda gradient: gradient / counts)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        flat = self.array[self.places] * self.factors
        pieces = flat.split([weight.numel() for weight in self.own.values()])
        weights = {name: piece.view(weight.shape)
                   for (name, weight), piece in zip(self.own.items(), pieces, strict=True)}
        return torch.func.functional_call(self.model, weights, (windows,))


def step(width: int, layers: int, heads: int, context: int, batch: int, share: float = 0.1):
    """A step over windows [batch, context + 1]."""
    return plain.descend(Shared(plain.model(width, layers, heads, context), share))
