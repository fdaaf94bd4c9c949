"""A training step with state spaces as the mixer, in PyTorch: the twin of `train --mixer ssm`.

`step(sizes)` gives a function that takes windows [B, T+1] and does one step of AdamW. The scan goes a
position at a time over all windows and groups together, as the reference of Mamba's code does where
there is no GPU.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

GROUPS, TAPS = 4, 3


class Grouped(nn.Module):
    """GroupMamba's layer on a causal stream; groups are a dimension of their own."""

    def __init__(self, width: int, gain: nn.Parameter) -> None:
        super().__init__()
        d = width // GROUPS
        self.factors, squeezed = (d + 15) // 16, max(4, width // 16)

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape) / math.sqrt(shape[-1]))

        self.into, self.choose = weight(GROUPS, 2 * d, d), weight(GROUPS, self.factors + 2, d)
        self.out_of, self.conv = weight(GROUPS, d, d), nn.Conv1d(width, width, TAPS, groups=width)
        self.delta = nn.Parameter(torch.empty(GROUPS, self.factors, d).uniform_(-1, 1))
        steps = 0.001 * 100 ** ((torch.arange(d) + 0.5) / d)
        self.bias = nn.Parameter((steps + torch.log(-torch.expm1(-steps))).repeat(GROUPS, 1))
        rates = math.log(16) * torch.arange(GROUPS) / (GROUPS - 1)
        self.log_rate = nn.Parameter(rates[:, None].repeat(1, d))
        self.skip, self.gains = nn.Parameter(torch.ones(GROUPS, d)), nn.Parameter(torch.ones(GROUPS, d))
        self.scale, self.gain = nn.Parameter(torch.ones(1)), gain
        self.squeeze, self.excite = weight(squeezed, width), weight(width, squeezed)
        self.project = weight(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        windows, positions, width = x.shape
        groups = x.view(windows, positions, GROUPS, -1)
        u, z = torch.einsum("btgc,gkc->btgk", groups, self.into).chunk(2, -1)
        u = u.reshape(windows, positions, width).transpose(1, 2)
        u = F.silu(self.conv(F.pad(u, (TAPS - 1, 0)))).transpose(1, 2).reshape(groups.shape)
        chosen = torch.einsum("btgc,gkc->btgk", u, self.choose)
        r, b, c = chosen.split((self.factors, 1, 1), -1)
        delta = F.softplus(torch.einsum("btgr,grc->btgc", r, self.delta) + self.bias)
        decays, pushes = torch.exp(-delta * self.log_rate.exp()), delta * b * u
        h, states = torch.zeros_like(u[:, 0]), []
        for t in range(positions):
            h = decays[:, t] * h + pushes[:, t]
            states.append(h)
        y = F.layer_norm(c * torch.stack(states, 1) + self.skip * u, u.shape[-1:]) * self.gains
        mixed = torch.einsum("btgc,gkc->btgk", y * F.silu(z), self.out_of).reshape(x.shape)
        counts = torch.arange(1, positions + 1).view(1, positions, 1)
        hidden = F.relu((x.cumsum(1) / counts) @ self.squeeze.T)
        mixed = self.scale * mixed * x * torch.sigmoid(hidden @ self.excite.T)
        return F.layer_norm(mixed, (width,), self.gain) @ self.project.T


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.mixer = Grouped(width, self.before.weight)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.mixer(self.before(x))
        return x + self.down(F.gelu(self.up(self.between(x)), approximate="tanh"))


def step(width: int, layers: int, heads: int, context: int, batch: int):
    """A step over windows [batch, context + 1]; heads are nothing to it."""
    model = nn.Sequential(
        nn.Embedding(256, width),
        *(Block(width) for _ in range(layers)),
        nn.LayerNorm(width, bias=False),
        nn.Linear(width, 256, bias=False),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4)

    def take(windows: torch.Tensor) -> float:
        optimizer.zero_grad()
        logits = model(windows[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return take
