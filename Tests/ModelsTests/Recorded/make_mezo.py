#!/usr/bin/env python3
"""Records what PyTorch makes of a few steps of Sparse MeZO on the model of dense.json.

usage: make_mezo.py            (needs torch and dense.* beside it; writes mezo.json)

Weights are in one flat run in which each tensor begins at a multiple of 16 numbers. The direction at
place i of step t is the normal's quantile of (2u + 1)/2^23 - 1, u the 23 high bits of half i & 1 of the
SplitMix64 output i >> 1 for the step's key; all of it in float64.
"""
import json, math, pathlib
import torch
from make_recorded import run

STEPS, RATE, EPSILON, SPARSITY, SEED = 5, 2e-3, 1e-3, 0.6, 11
FOLDER, MASK, GOLDEN = pathlib.Path(__file__).parent, 2**64 - 1, 0x9E3779B97F4A7C15


def mix(state):
    z = (state + GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def direction(key, start, count):
    def uniform(place):
        word = mix((key + (place >> 1) * GOLDEN) & MASK)
        return (2 * ((word >> 32 * (place & 1) & 0xFFFFFFFF) >> 9) + 1) / 2**23 - 1
    odd = torch.tensor([uniform(start + i) for i in range(count)], dtype=torch.float64)
    return math.sqrt(2) * torch.erfinv(odd)


def main():
    about = json.loads((FOLDER / "dense.json").read_text())
    numbers = torch.frombuffer(bytearray((FOLDER / "dense.bin").read_bytes()), dtype=torch.float32).double()
    c, P, starts, taken, place = about, {}, {}, 0, 0
    tensors = [(t["name"], t["count"]) for t in about["tensors"]]
    shapes = {}
    from make_recorded import make_parameters
    for name, p in make_parameters(c).items():
        shapes[name] = tuple(p.shape)
    for name, count in tensors:
        P[name] = numbers[taken:taken + count].view(shapes[name]).clone()
        starts[name] = place
        taken, place = taken + count, place + (count + 15) // 16 * 16
    thresholds = {n: p.abs().flatten().sort().values[max(math.ceil((1 - SPARSITY) * p.numel()), 1) - 1]
                  for n, p in P.items()}
    generator = mix(SEED) ^ mix((fnv1a("mezo directions") - GOLDEN) & MASK)
    plus, minus, slopes, masked = [], [], [], []
    for step in range(STEPS):
        key = mix((generator + step * GOLDEN) & MASK)
        moved = {}
        for name, p in P.items():
            # Without qk-layernorm its gains have no effect, and are left alone.
            small = (p.abs() <= thresholds[name]).double() * (0 if "layernorm.weight" in name and "self_attn" in name else 1)
            moved[name] = small.flatten() * direction(key, starts[name], p.numel())
        tokens = torch.tensor(about["batches"][step]).view(c["batch"], c["context"] + 1)
        loss = lambda sign: run(c, {n: p + sign * EPSILON * moved[n].view_as(p) for n, p in P.items()}, tokens)[1].item()
        plus.append(loss(1))
        minus.append(loss(-1))
        slopes.append((plus[-1] - minus[-1]) / (2 * EPSILON))
        counted = [n for n in P if not ("layernorm.weight" in n and "self_attn" in n)]
        moving = sum((moved[n] != 0).sum().item() for n in counted)
        masked.append(1 - moving / sum(P[n].numel() for n in counted))
        for name in P:
            P[name] = P[name] - RATE * slopes[-1] * moved[name].view_as(P[name])
    (FOLDER / "mezo.json").write_text(json.dumps(dict(
        rate=RATE, epsilon=EPSILON, sparsity=SPARSITY, seed=SEED, plus=plus, minus=minus, slopes=slopes, masked=masked,
        norms=[P[n].norm().item() for n, _ in tensors])) + "\n")


if __name__ == "__main__":
    main()
