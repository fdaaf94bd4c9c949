"""A training step of GPT-2's layers: the twin of `--architecture gpt2`."""

import torch
from torch import nn
from torch.nn import functional as F

from variants import plain


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        windows, positions, width = x.shape
        shape = (windows, positions, 3, self.heads, width // self.heads)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixer = Attention(width, heads)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.mixer(self.before(x))
        return x + self.down(F.gelu(self.up(self.between(x)), approximate="tanh"))


class Model(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, context: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(256, width) / width**0.5)
        self.positions = nn.Parameter(torch.randn(context, width) / width**0.5)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.last = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = F.embedding(tokens, self.table) + self.positions
        return self.last(self.blocks(x)) @ self.table.T


def step(width: int, layers: int, heads: int, context: int, batch: int):
    return plain.descend(Model(width, layers, heads, context))
