"""A training step of Llama's layers: the twin of `--architecture llama`."""

import torch
from torch import nn
from torch.nn import functional as F

from variants import plain


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.before, self.between = (nn.RMSNorm(width, eps=1e-6) for _ in range(2))
        self.mixer = plain.Attention(width, heads, context)
        # The width that the program gives: 8/3 of the model's, in sixteens.
        self.feed_forward = FeedForward(width, (8 * width // 3 + 15) // 16 * 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.mixer(self.before(x))
        return x + self.feed_forward(self.between(x))


def model(width: int, layers: int, heads: int, context: int) -> nn.Module:
    return nn.Sequential(
        nn.Embedding(256, width),
        *(Block(width, heads, context) for _ in range(layers)),
        nn.RMSNorm(width, eps=1e-6),
        nn.Linear(width, 256, bias=False),
    )


def step(width: int, layers: int, heads: int, context: int, batch: int):
    return plain.descend(model(width, layers, heads, context))
