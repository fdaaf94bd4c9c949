"""A training step in a random subspace by Fastfood: the twin of `--subspace 1000`."""

import torch
from torch import nn
from torch.func import functional_call

from variants import plain

DIMENSIONS = 1000


def hadamard(x: torch.Tensor) -> torch.Tensor:
    half = 1
    while half < len(x):
        a, b = x.view(-1, 2, half).unbind(1)
        x, half = torch.stack((a + b, a - b), 1).reshape(-1), 2 * half
    return x


def step(width: int, layers: int, heads: int, context: int, batch: int):
    model = plain.model(width, layers, heads, context).requires_grad_(False)
    names, tensors = zip(*model.named_parameters())
    sizes = [t.numel() for t in tensors]
    total = sum(sizes)
    n = 1 << (total - 1).bit_length()
    signs = torch.randint(0, 2, (n,)) * 2.0 - 1
    order, normals = torch.randperm(n), torch.randn(n)
    scale = 1 / ((n * normals.square().sum()).sqrt() * (total / n) ** 0.5)
    weights = nn.Parameter(torch.zeros(DIMENSIONS))
    optimizer = plain.adamw([weights])

    def take(windows: torch.Tensor) -> float:
        optimizer.zero_grad()
        padded = nn.functional.pad(weights, (0, n - DIMENSIONS))
        moved = scale * hadamard(hadamard(padded * signs)[order] * normals)[:total]
        parts = [t + part.view_as(t) for t, part in zip(tensors, moved.split(sizes))]
        logits = functional_call(model, dict(zip(names, parts)), windows[:, :-1])
        value = nn.functional.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1))
        value.backward()
        nn.utils.clip_grad_norm_([weights], 1.0)
        optimizer.step()
        return value.item()

    return take
