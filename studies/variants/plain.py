"""A training step of the plain preset in PyTorch, and what the other twins build on."""

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads, head = heads, width // heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        angles = torch.outer(
            torch.arange(context).float(), 10000.0 ** (-torch.arange(0, head, 2).float() / head)
        )
        self.register_buffer("cos", torch.cat((angles, angles), -1).cos())
        self.register_buffer("sin", torch.cat((angles, angles), -1).sin())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        windows, positions, width = x.shape
        shape = (windows, positions, 3, self.heads, width // self.heads)
        q, k, v = self.qkv(x).view(shape).permute(2, 0, 3, 1, 4)
        half = q.shape[-1] // 2
        q, k = (
            t * self.cos + torch.cat((-t[..., half:], t[..., :half]), -1) * self.sin for t in (q, k)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(x.shape))


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, context: int, feed_forward) -> None:
        super().__init__()
        self.before, self.between = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.mixer = Attention(width, heads, context)
        self.feed_forward = feed_forward(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.mixer(self.before(x))
        return x + self.feed_forward(self.between(x))


def model(width: int, layers: int, heads: int, context: int, feed_forward=FeedForward) -> nn.Module:
    return nn.Sequential(
        nn.Embedding(256, width),
        *(Block(width, heads, context, feed_forward) for _ in range(layers)),
        nn.LayerNorm(width, bias=False),
        nn.Linear(width, 256, bias=False),
    )


def loss(model: nn.Module, windows: torch.Tensor) -> torch.Tensor:
    logits = model(windows[:, :-1])
    return F.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1))


def adamw(parameters) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4)


def descend(model: nn.Module, move=lambda advance: advance(), make=adamw):
    """A step over windows [batch, context + 1]; `move` calls the step of the optimiser that `make` gives."""
    optimizer = make(model.parameters())

    def take(windows: torch.Tensor) -> float:
        optimizer.zero_grad()
        value = loss(model, windows)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        move(optimizer.step)
        return value.item()

    return take


def step(width: int, layers: int, heads: int, context: int, batch: int):
    return descend(model(width, layers, heads, context))
