#!/usr/bin/env python3
"""Records what PyTorch computes for a small transformer under RigL by blocks of 16 by 16: losses,
gradient norms, the blocks that are there after each step, and the final weights' norms.

usage: make_sparse.py     (needs torch; writes sparse.json and sparse.bin beside this file)

sparse.bin is raw little-endian float32: the parameters before masking, in the order and shapes of the
json. Masks are strings of 0 and 1, block row after block row.
"""
import json, math, pathlib, sys
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "ModelsTests/Recorded"))
import make_recorded as recorded

MODEL = dict(width=32, layers=1, heads=2, context=6, batch=2)
SPARSITY, EVERY, SIDE = 0.5, 2, 16
HIDDEN = ("query_key_value.weight", "self_attn.dense.weight", "4h.weight", "to_h.weight")


def blocks(x):
    """Σ |x| of each block of 16 by 16, in rows of blocks."""
    return x.abs().view(x.shape[0] // SIDE, SIDE, -1, SIDE).sum((1, 3)).flatten()


def spread(mask, x):
    return mask.view(x.shape[0] // SIDE, 1, -1, 1).expand(-1, SIDE, -1, SIDE).reshape(x.shape)


def exchange(mask, weight, gradient, share):
    """Drops the smallest blocks and grows as many by the dense gradient; what does both stays."""
    kept = int(mask.sum())
    count = math.ceil(share * kept)
    sizes, growth = blocks(weight).tolist(), blocks(gradient).tolist()
    present = [i for i in range(len(mask)) if mask[i]]
    leaving = set(sorted(present, key=lambda i: (sizes[i], i))[:count])
    free = [i for i in range(len(mask)) if not mask[i] or i in leaving]
    coming = set(sorted(free, key=lambda i: (-growth[i], i))[:count])
    changed = (leaving ^ coming)
    for i in changed:
        mask[i] = float(i in coming)
    return changed


def main():
    torch.manual_seed(3)
    parameters = recorded.make_parameters(MODEL)
    first = [p.detach().clone() for p in parameters.values()]
    steps, peak, warmup, decay = recorded.STEPS, recorded.PEAK, recorded.WARMUP, recorded.DECAY
    batches = torch.randint(0, 256, (steps, MODEL["batch"], MODEL["context"] + 1))
    masks = {}
    for name, p in parameters.items():
        if not name.endswith(HIDDEN):
            continue
        count = p.numel() // SIDE**2
        masks[name] = torch.zeros(count)
        masks[name][torch.randperm(count)[:round(count * (1 - SPARSITY))]] = 1
        p.data *= spread(masks[name], p)
    groups = [{"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": decay / peak},
              {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), eps=1e-8)
    start = {n: "".join(str(int(b)) for b in m) for n, m in masks.items()}
    losses, norms, after = [], [], []
    end = int(0.75 * steps)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1, (step + 1) / warmup)
        optimizer.zero_grad()
        _, loss, total, _ = recorded.run(MODEL, parameters, batches[step])
        total.backward()
        dense = {n: parameters[n].grad.clone() for n in masks}
        for name, mask in masks.items():
            parameters[name].grad *= spread(mask, dense[name])
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0).item())
        optimizer.step()
        if 0 < step < end and step % EVERY == 0:
            share = 0.15 * (1 + math.cos(math.pi * step / end))
            for name, mask in masks.items():
                p = parameters[name]
                changed = torch.zeros_like(mask)
                for i in exchange(mask, p.detach(), dense[name], share):
                    changed[i] = 1
                gone = spread(changed, p)
                for values in (p.data, optimizer.state[p]["exp_avg"], optimizer.state[p]["exp_avg_sq"]):
                    values *= 1 - gone
        losses.append(loss.item())
        after.append({n: "".join(str(int(b)) for b in m) for n, m in masks.items()})
    about = dict(MODEL, sparsity=SPARSITY, every=EVERY, start=start, masks=after, losses=losses,
                 grad_norms=norms, batches=batches.flatten(1).tolist(), peak=peak, warmup=warmup,
                 weight_decay=decay,
                 tensors=[dict(name=n, count=p.numel(), final_norm=p.detach().double().norm().item())
                          for n, p in parameters.items()])
    folder = pathlib.Path(__file__).parent
    (folder / "sparse.json").write_text(json.dumps(about) + "\n")
    (folder / "sparse.bin").write_bytes(
        b"".join(t.float().contiguous().numpy().tobytes() for t in first))


if __name__ == "__main__":
    main()
