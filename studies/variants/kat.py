"""A training step with group-rational feed-forward layers: the twin of `--feed-forward kat`."""

import torch
from torch import nn

from variants import plain

GROUPS = 8
IDENTITY = [0, 1, 0, 0, 0, 0], [0, 0, 0, 0]
SWISH = (
    [0, 0.5, 0.25, 0.05326628, 0.005803035, 0.0002751961],
    [0, 0.10652899, 0, 0.00055023],
)


class Rational(nn.Module):
    """P/Q of y = x/3 by groups of columns, by Horner's rule."""

    def __init__(self, start) -> None:
        super().__init__()
        a, b = start
        self.a = nn.Parameter(torch.tensor([v * 3.0**k for k, v in enumerate(a)]))
        b = torch.tensor([v * 3.0 ** (i + 1) for i, v in enumerate(b)])
        self.b = nn.Parameter(b.repeat(GROUPS, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = (x / 3).unflatten(-1, (GROUPS, -1))
        size, a, b = y.abs(), self.a, self.b.abs()[..., None]
        p = ((((a[5] * y + a[4]) * y + a[3]) * y + a[2]) * y + a[1]) * y + a[0]
        q = 1 + (((b[:, 3] * size + b[:, 2]) * size + b[:, 1]) * size + b[:, 0]) * size
        return (p / q).flatten(-2)


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Rational(IDENTITY), Rational(SWISH)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.second(self.up(self.first(x))))


def step(width: int, layers: int, heads: int, context: int, batch: int):
    return plain.descend(plain.model(width, layers, heads, context, FeedForward))
