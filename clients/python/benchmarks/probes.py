"""What probes cost a PyTorch loop: with ``seismo.watch(every=50)`` and without.

    python benchmarks/probes.py [--steps 200] [--pairs 7] [--threads 2]

Both loops of a pair run in turn, in one process, from the same seeds; which comes first alternates.
Told are the median of the pairs' ratios of time, their range, and what a probed step costs beside
another one. The model is a byte-level GPT whose step takes some 100 ms on two cores.
"""

import argparse
import statistics
import tempfile
import time

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

import seismo

WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 192, 4, 4, 128, 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        up, down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.mlp = nn.Sequential(up, nn.GELU(), down)

    def forward(self, x):
        heads = self.qkv(self.norm1(x)).view(*x.shape[:2], 3, HEADS, WIDTH // HEADS)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(x.shape))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.bytes = nn.Embedding(256, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 256)

    def forward(self, tokens):
        x = self.bytes(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def seconds_of(steps, every, folder):
    """Seconds a step, each, of a loop that logs its loss; ``every`` 0 is without probes."""
    torch.manual_seed(0)
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    run = seismo.init(name="probes", dir=folder)
    watching = seismo.watch(model, optimizer, every=every) if every else None
    taken = []
    for step in range(steps):
        began = time.perf_counter()
        batch = torch.randint(256, (BATCH, CONTEXT + 1))
        logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        run.log({"loss": loss}, step=step)
        taken.append(time.perf_counter() - began)
    run.finish()
    if watching is not None:
        watching.remove()
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    ratios, probed, others = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        seconds_of(20, given.every, folder)
        for pair in range(given.pairs):
            order = (0, given.every) if pair % 2 == 0 else (given.every, 0)
            times = {every: seconds_of(given.steps, every, folder) for every in order}
            ratios.append(sum(times[given.every]) / sum(times[0]))
            probed += times[given.every][:: given.every]
            others += [t for i, t in enumerate(times[given.every]) if i % given.every]
    a_probe = statistics.median(probed) / statistics.median(others)
    print(
        f"with probes on every {given.every}th step / without: median "
        f"{statistics.median(ratios):.4f} of {given.pairs} pairs ({min(ratios):.4f} to "
        f"{max(ratios):.4f}), {given.steps} steps of "
        f"{1e3 * statistics.median(others):.1f} ms; a probed step takes {a_probe:.2f} of another"
    )


if __name__ == "__main__":
    main()
