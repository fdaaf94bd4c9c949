"""The plain model of `train`, in PyTorch: what the twins of the variants have in common."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def linear(inputs: int, outputs: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs))


class Dense(nn.Module):
    """Rotary attention and GELU; `hidden` gives a block's matrices, by name."""

    def __init__(self, width: int, layers: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads, self.layers = heads, layers
        self.embedding = nn.Parameter(torch.randn(256, width) / math.sqrt(width))
        self.norms = nn.ModuleList(nn.LayerNorm(width, bias=False) for _ in range(2 * layers + 1))
        self.head = linear(width, 256)
        shapes = {"qkv": (width, 3 * width), "out": (width, width), "up": (width, 4 * width),
                  "down": (4 * width, width)}
        self.matrices = nn.ParameterDict(
            {f"{name}{layer}": linear(*shape) for layer in range(layers)
             for name, shape in shapes.items()})
        half = width // heads // 2
        angles = torch.outer(torch.arange(context).float(),
                             10000.0 ** (-torch.arange(half).float() / half))
        self.register_buffer("cos", torch.cat((angles, angles), -1).cos())
        self.register_buffer("sin", torch.cat((angles, angles), -1).sin())

    def weights(self) -> dict[str, torch.Tensor]:
        return dict(self.matrices)

    def rotate(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        return x * self.cos + torch.cat((-x[..., half:], x[..., :half]), -1) * self.sin

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        weights, x = self.weights(), self.embedding[windows]
        for layer in range(self.layers):
            y = self.norms[2 * layer](x) @ weights[f"qkv{layer}"].T
            parts = y.view(*x.shape[:2], self.heads, 3, -1).permute(3, 0, 2, 1, 4)
            q, k, v = self.rotate(parts[0]), self.rotate(parts[1]), parts[2]
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + mixed.transpose(1, 2).reshape(x.shape) @ weights[f"out{layer}"].T
            y = F.gelu(self.norms[2 * layer + 1](x) @ weights[f"up{layer}"].T, approximate="tanh")
            x = x + y @ weights[f"down{layer}"].T
        return self.norms[-1](x) @ self.head.T


def taker(model: nn.Module, before_update=lambda: None, after_update=lambda: None):
    """A function that takes windows [B, T+1], makes a step of AdamW and returns the loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4)

    def take(windows: torch.Tensor) -> float:
        optimizer.zero_grad()
        logits = model(windows[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1))
        loss.backward()
        before_update()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        after_update()
        return loss.item()

    return take
