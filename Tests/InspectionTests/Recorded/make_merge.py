#!/usr/bin/env python3
"""Records what NumPy makes of several models by each method of merging.

usage: make_merge.py              (needs numpy; writes merge.json beside this file)

The equations of TIES (2306.01708) and PCB-Merging (2410.02396) over all tensors flattened, quantiles
by rank as in the papers' code; updates are Float32, everything after them is Float64.
"""
import json, pathlib
import numpy as np

SHAPES = {"embed.weight": [17, 8], "layers.0.mlp.weight": [8, 24], "layers.0.norm.weight": [8],
          "layers.1.mlp.weight": [8, 24], "layers.1.norm.weight": [8]}


def clamped(update):
    size = np.sort(np.abs(update))
    low, high = size[int(len(size) * 0.01)], size[int(len(size) * (1 - 0.01) - 1)]
    return np.clip(np.abs(update), low, high).astype(np.float64)


def unit(x):
    return (x - x.min()) / (x.max() - x.min())


def pcb(updates, keep):
    wide = updates.astype(np.float64)
    c = np.stack([clamped(u) for u in updates])
    within = np.exp(len(wide) * np.stack([unit(row) for row in c]) ** 2)
    score = (within * np.tanh(wide * wide.sum(0))).astype(np.float32)
    weights = []
    for row in score:
        floor = np.sort(row)[int(len(row) * (1 - keep))]
        weights.append(unit(np.maximum(row, floor).astype(np.float64)))
    weights = np.stack(weights)
    return weights * np.sign(wide) * c / np.maximum(weights.sum(0), 1e-12), weights


def ties(updates, keep):
    trimmed = []
    for row in updates.astype(np.float64):
        rank = len(row) - int(len(row) * keep)
        trimmed.append(np.where(np.abs(row) >= np.sort(np.abs(row))[rank - 1], row, 0))
    trimmed = np.stack(trimmed)
    heeded = trimmed * np.sign(trimmed.sum(0)) > 0
    count = np.maximum(heeded.sum(0), 1)
    return np.where(heeded, trimmed, 0) / count, heeded / count


def agreement(start, updates, merged, weights):
    wide = updates.astype(np.float64)
    norm = np.linalg.norm(start.astype(np.float64))
    up, down = (wide > 0).sum(0), (wide < 0).sum(0)
    moved = up + down > 1
    pairs = [(a, b) for a in range(len(wide)) for b in range(a)]
    cosines = [wide[a] @ wide[b] / np.linalg.norm(wide[a]) / np.linalg.norm(wide[b]) for a, b in pairs]
    return dict(signs=float((moved & ((up == 0) | (down == 0))).sum() / moved.sum()),
                cosine=float(np.mean(cosines)),
                distances=[float(np.linalg.norm(u) / norm) for u in wide],
                distance=float(np.linalg.norm(merged - start) / norm),
                kept=[float((w > 0).mean()) for w in weights], weights=[float(w.mean()) for w in weights])


def main():
    random = np.random.default_rng(11)
    size = sum(int(np.prod(shape)) for shape in SHAPES.values())
    start = random.normal(size=size).astype(np.float32)
    shared = random.normal(size=size) * 0.02
    scale = np.exp(random.normal(size=size))
    parts = [(start + shared + 0.03 * scale * random.normal(size=size)).astype(np.float32)
             for _ in range(3)]
    for part in parts:
        part[:8] = start[:8]
    updates = np.stack([part - start for part in parts])
    found = {}
    for name, scale, keep, (added, weights) in [
            ("mean", 1, None, (updates / 3.0, np.ones_like(updates))),
            ("arithmetic", 0.3, None, (updates.astype(np.float64), np.ones_like(updates))),
            ("ties", 1, 0.2, ties(updates, 0.2)), ("pcb", 1.2, 0.1, pcb(updates, 0.1)),
            ("pcb wide", 0.9, 0.5, pcb(updates, 0.5))]:
        merged = start + scale * added.astype(np.float64).sum(0)
        found[name] = dict(method=name.split()[0], scale=scale, keep=keep,
                           merged=[float(x) for x in merged.astype(np.float32)],
                           agreement=agreement(start, updates, merged, weights))
    values = lambda x: [float(v) for v in x]
    record = dict(shapes=SHAPES, names=list(SHAPES), start=values(start),
                  parts=[values(p) for p in parts], found=found)
    pathlib.Path(__file__).with_name("merge.json").write_text(json.dumps(record) + "\n")


main()
