"""A GPT at too high a rate, whose attention logits run away, and the switch that rescues it.

    python rescue.py                    asks for the switch itself, once the loss stands still
    python rescue.py --by-hand          leaves it to you: `seismo watch runs`, then m, qk_layernorm;
                                        or `seismo control FILE.jsonl set qk_layernorm on`
    python rescue.py --no-switch        shows how it ends without

Under two minutes on two CPU cores. The text is Python's own library.
"""

import argparse
import pathlib

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

import seismo

WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 64, 3, 2, 64, 16


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        batch, time, _ = x.shape
        heads = self.qkv(x).view(batch, time, 3, HEADS, WIDTH // HEADS)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, time, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        up, down = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)
        self.mlp = nn.Sequential(up, nn.GELU(), down)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.bytes = nn.Embedding(256, WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 256, bias=False)

    def forward(self, batch):
        x = self.bytes(batch) + self.positions(torch.arange(batch.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def library_text(size=2_000_000):
    text = b""
    for path in sorted(pathlib.Path(argparse.__file__).parent.glob("*.py")):
        text += path.read_bytes()
        if len(text) >= size:
            break
    return torch.frombuffer(bytearray(text), dtype=torch.uint8).long()


def batch_of(text, generator):
    starts = torch.randint(0, len(text) - CONTEXT - 1, (BATCH, 1), generator=generator)
    windows = text[starts + torch.arange(CONTEXT + 1)]
    return windows[:, :-1], windows[:, 1:]


def mean(losses):
    return sum(losses) / max(1, len(losses))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--by-hand", action="store_true")
    parser.add_argument("--no-switch", action="store_true")
    given = parser.parse_args()

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    text, model = library_text(), GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=given.lr, betas=(0.9, 0.95))
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 50))

    run = seismo.init(name="rescue", config=vars(given), total_steps=given.steps)
    watching = seismo.watch(model, optimizer, every=10)
    seismo.mitigations(model, optimizer)
    waits = not given.by_hand and not given.no_switch
    losses, largest = [], []
    switched = None
    with run:
        for step in run.steps(given.steps):
            inputs, targets = batch_of(text, generator)
            loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
            loss = seismo.loss(loss)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            warmup.step()
            losses.append(loss.item())
            run.log({"loss": loss, "lr": warmup.get_last_lr()[0]}, step=step)
            largest.append(watching.latest("attention_logit_max"))
            if step % 100 == 99:
                told = f"loss {mean(losses[-50:]):.3f}, largest attention logit {largest[-1]:.1f}"
                print(f"step {step + 1}: {told}")
            if waits and largest[-1] > 1e3 and step >= 250:
                waits, switched = False, step + 1
                print(f"step {step + 1}: set qk_layernorm on")
                run.request("set qk_layernorm on")
    if switched is not None:
        before = mean(losses[switched - 50 : switched])
        print(f"before the switch: loss {before:.3f}, largest logit {max(largest[:switched]):.0f}")
    print(f"at the end: loss {mean(losses[-50:]):.3f}, largest logit {largest[-1]:.1f}")


if __name__ == "__main__":
    main()
