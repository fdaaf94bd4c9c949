"""A small GPT at too high a rate: its attention logits grow until the loss suffers, and
qk-layernorm, switched on in the running model, takes them down.

    python rescue.py [STEPS]        about a minute on a CPU

The text is Python's own standard library, read as bytes. `run.request` stands for the person who
presses `m` and enter in `seismo watch`.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import seismo

WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 64, 2, 2, 64, 16


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.feed_forward = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x):
        shape = (*x.shape[:2], HEADS, WIDTH // HEADS)
        q, k, v = (
            part.view(shape).transpose(1, 2) for part in self.qkv(self.norm_1(x)).chunk(3, -1)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.feed_forward(self.norm_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(256, WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 256, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def text():
    folder = Path(os.__file__).parent
    pieces = [folder.joinpath(name).read_bytes() for name in ("argparse.py", "typing.py", "os.py")]
    return torch.frombuffer(bytearray(b"".join(pieces)), dtype=torch.uint8).long()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", type=int, nargs="?", default=500)
    parser.add_argument("--rate", type=float, default=3e-2)
    options = parser.parse_args()
    torch.manual_seed(0)
    data, model = text(), GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.95))
    began = time.perf_counter()
    with seismo.init(name="rescue", config=vars(options), total_steps=options.steps) as run:
        seismo.watch(model, optimizer, every=10)
        seismo.mitigations(model, optimizer)
        for step in run.steps(options.steps):
            starts = torch.randint(len(data) - CONTEXT - 1, (BATCH, 1))
            rows = data[starts + torch.arange(CONTEXT + 1)]
            logits = model(rows[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log({"loss": loss, "lr": options.rate}, step=step)
            if step == options.steps * 3 // 5:
                run.request("set qk_layernorm on")
    sys.stdout.write(f"{run.path}, {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
