#!/usr/bin/env python3
"""The sensitivity to the rate of `tiny` in PyTorch, float32, to hold Seismo's against.

    python studies/reference.py TEXT [--seeds 1,2] [--steps 500]

Trains the model of `seismo sweep --preset tiny --z-loss 0 --warmup 25` at seven rates, with and
without qk-layernorm, and prints the held-out loss of each and the sensitivity, the mean over the
rates of min(loss, loss at the start) less the best (Wortsman et al. 2023, section 2). Wants torch.
"""

import argparse
import math
import statistics

import torch
from torch import nn
from torch.nn import functional

RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1]
WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 64, 2, 2, 64, 16
HEAD = WIDTH // HEADS


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Truncated normal weights whose deviation after the cut at 2 is 1/sqrt(inputs)."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.trunc_normal_(layer.weight, std=1, a=-2, b=2)
    with torch.no_grad():
        layer.weight.mul_(inputs**-0.5 / 0.8796)
    return layer


def norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-6, bias=False)


class Block(nn.Module):
    def __init__(self, qk_layernorm: bool) -> None:
        super().__init__()
        self.before, self.between = norm(WIDTH), norm(WIDTH)
        self.qkv, self.out = linear(WIDTH, 3 * WIDTH), linear(WIDTH, WIDTH)
        self.up, self.down = linear(WIDTH, 4 * WIDTH), linear(4 * WIDTH, WIDTH)
        self.norms = nn.ModuleList([norm(HEAD), norm(HEAD)]) if qk_layernorm else None

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, context, _ = x.shape
        shape = (batch, context, 3, HEADS, HEAD)
        q, k, v = self.qkv(self.before(x)).view(shape).permute(2, 0, 3, 1, 4)
        if self.norms is not None:
            q, k = self.norms[0](q), self.norms[1](k)
        half = HEAD // 2
        q, k = (
            t * cos + torch.cat((-t[..., half:], t[..., :half]), -1) * sin for t in (q, k)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.down(functional.gelu(self.up(self.between(x)), approximate="tanh"))


class Model(nn.Module):
    def __init__(self, qk_layernorm: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, WIDTH)
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        self.blocks = nn.ModuleList(Block(qk_layernorm) for _ in range(LAYERS))
        self.norm, self.head = norm(WIDTH), linear(WIDTH, 256)
        angles = torch.outer(
            torch.arange(CONTEXT).float(), 10000.0 ** (-torch.arange(0, HEAD, 2).float() / HEAD)
        )
        self.register_buffer("cos", torch.cat((angles, angles), -1).cos())
        self.register_buffer("sin", torch.cat((angles, angles), -1).sin())

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        x = self.embedding(windows[:, :-1])
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.head(self.norm(x))
        return functional.cross_entropy(logits.reshape(-1, 256), windows[:, 1:].reshape(-1))


def windows(text: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    return torch.stack([text[start : start + CONTEXT + 1] for start in starts.tolist()]).long()


def held_out(model: Model, text: torch.Tensor) -> float:
    starts = torch.linspace(0, len(text) - CONTEXT - 1, 256).long()
    with torch.no_grad():
        return model(windows(text, starts)).item()


def train(
    text: torch.Tensor, rate: float, qk_layernorm: bool, seed: int, steps: int
) -> tuple[float, float]:
    """The held-out loss at the start and at the end."""
    torch.manual_seed(seed)
    cut = len(text) * 9 // 10
    model = Model(qk_layernorm)
    start = held_out(model, text[cut:])
    # Decay that is independent of the rate is one of PyTorch's divided by the peak.
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=1e-4 / rate
    )
    for step in range(steps):
        warm = min(1.0, (step + 1) / 25)
        fall = 0.5 * (1 + math.cos(math.pi * max(0, step - 25) / (steps - 25)))
        optimizer.param_groups[0]["lr"] = warm * max(rate * fall, 1e-5)
        loss = model(windows(text, torch.randint(0, cut - CONTEXT - 1, (BATCH,))))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return start, held_out(model, text[cut:])


def capped(loss: float, start: float) -> float:
    return min(loss, start) if math.isfinite(loss) else start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--steps", type=int, default=500)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with open(options.text, "rb") as file:
        text = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    for qk_layernorm in (False, True):
        for seed in map(int, options.seeds.split(",")):
            ends = [train(text, rate, qk_layernorm, seed, options.steps) for rate in RATES]
            losses = [capped(loss, start) for start, loss in ends]
            sensitivity = statistics.mean(losses) - min(losses)
            print(
                "qk-layernorm" if qk_layernorm else "plain",
                f"seed {seed}:",
                " ".join(f"{loss:.3f}" for loss in losses),
                f"sensitivity {sensitivity:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
