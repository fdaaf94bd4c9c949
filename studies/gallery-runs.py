"""Makes the runs of other programs that the README's gallery shows, each with its real writer.

A small GPT on the text of this repository, logged with wandb offline and printed as nanoGPT prints;
PPO of stable-baselines3 on CartPole, whose tables go to standard output.

    pip install torch wandb stable-baselines3
    python studies/gallery-runs.py FOLDER [wandb] [rl]
    seismo import FOLDER/wandb/offline-run-* --session sessions/wandb-gpt.seismo
    seismo import FOLDER/ppo.log --session sessions/ppo.seismo
    seismo import FOLDER/printed.log --session sessions/printed.seismo
"""

import contextlib
import math
import os
import sys
import time
from pathlib import Path


def gpt(torch, vocabulary, width=64, layers=12, heads=4, context=64):
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv = nn.Linear(width, 3 * width, bias=False)
            self.out = nn.Linear(width, width, bias=False)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )
            self.logit_max = 0.0

        def forward(self, x):
            batch, time, _ = x.shape
            q, k, v = (
                part.view(batch, time, heads, -1).transpose(1, 2)
                for part in self.qkv(self.first(x)).chunk(3, dim=-1)
            )
            logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
            mask = torch.ones(time, time, dtype=torch.bool).triu(1)
            logits = logits.masked_fill(mask, float("-inf"))
            self.logit_max = logits.detach().max().item()
            mixed = (logits.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, width)
            x = x + self.out(mixed)
            return x + self.mlp(self.second(x))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, width)
            self.places = nn.Embedding(context, width)
            self.blocks = nn.ModuleList(Block() for _ in range(layers))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary, bias=False)

        def forward(self, x, y):
            h = self.tokens(x) + self.places(torch.arange(x.shape[1]))
            for block in self.blocks:
                h = block(h)
            logits = self.head(self.norm(h))
            return functional.cross_entropy(logits.flatten(0, 1), y.flatten())

    return Model()


def train(folder, steps=600, batch=8, context=64, peak=2e-2):
    import torch
    import wandb

    torch.manual_seed(7)
    root = Path(__file__).resolve().parent.parent
    text = "\n".join(p.read_text() for p in sorted(root.glob("*.md"))).encode()
    data = torch.tensor(list(text))
    held_out, data = data[: len(data) // 10], data[len(data) // 10 :]
    model = gpt(torch, 256)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95))
    os.environ["WANDB_MODE"] = "offline"
    run = wandb.init(
        project="gpt-small", name="gpt-small-2e-2", dir=folder, tags=["gallery"],
        config={"model": {"width": 64, "layers": 12, "heads": 4}, "lr": peak, "batch": batch},
    )

    def windows(source):
        starts = torch.randint(len(source) - context - 1, (batch,))
        rows = torch.stack([source[s : s + context + 1] for s in starts])
        return rows[:, :-1], rows[:, 1:]

    printed = open(Path(folder) / "printed.log", "w")
    for step in range(steps):
        began = time.perf_counter()
        rate = peak * min(1, (step + 1) / 60) * (0.55 + 0.45 * math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = model(*windows(data))
        optimizer.zero_grad()
        loss.backward()
        norms = [
            math.sqrt(sum(p.grad.pow(2).sum().item() for p in block.parameters()))
            for block in model.blocks
        ]
        total = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        optimizer.step()
        seconds = time.perf_counter() - began
        row = {
            "train/loss": loss.item(), "train/grad_norm": total, "lr": rate,
            "train/tokens_per_s": batch * context / seconds,
            "train/epoch": step * batch * context / len(data),
        }
        for layer, (block, norm) in enumerate(zip(model.blocks, norms)):
            row[f"layer{layer}/grad_norm"] = norm
            row[f"layer{layer}/attn_logit_max"] = block.logit_max
            row[f"layer{layer}/weight_rms"] = block.qkv.weight.pow(2).mean().sqrt().item()
        if step % 20 == 0:
            with torch.no_grad():
                row["val/loss"] = model(*windows(held_out)).item()
            print(
                f"step {step}: train loss {loss.item():.4f}, val loss {row['val/loss']:.4f}",
                file=printed,
            )
        print(f"iter {step}: loss {loss.item():.4f}, time {seconds * 1e3:.2f}ms", file=printed)
        wandb.log(row, step=step)
    run.finish()


def ppo(folder, steps=60_000):
    from stable_baselines3 import PPO

    with open(Path(folder) / "ppo.log", "w") as out, contextlib.redirect_stdout(out):
        PPO("MlpPolicy", "CartPole-v1", n_steps=256, seed=3, verbose=1, device="cpu").learn(steps)


if __name__ == "__main__":
    folder, *wanted = sys.argv[1:] or ["."]
    Path(folder).mkdir(parents=True, exist_ok=True)
    if not wanted or "wandb" in wanted:
        train(folder)
    if not wanted or "rl" in wanted:
        ppo(folder)
