#!/usr/bin/env python3
"""Records what PyTorch computes for a small transformer whose hidden matrices are read from one array
(RANDOMFOLD, the stable scaler): the matrices at the start, the array's gradient, ten steps of AdamW.

usage: make_shared.py     (needs torch; writes shared.json and shared.bin beside this file)

shared.bin is raw little-endian float32: the parameters that a dense model would begin with, in the order
and shapes of the json, then the array at the start and its first gradient.
"""
import json, math, pathlib, sys
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "ModelsTests/Recorded"))
import make_recorded as recorded

MODEL = dict(width=16, layers=2, heads=2, context=6, batch=2)
SHARE, SEED = 0.3, 5
HIDDEN = ("query_key_value.weight", "self_attn.dense.weight", "4h.weight", "to_h.weight")
WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(state):
    z = (state + GOLDEN) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def generator(stream):
    """Numbers that are a function of seed, stream and counter."""
    value = 0xCBF29CE484222325
    for byte in stream.encode():
        value = ((value ^ byte) * 0x100000001B3) & WORD
    key = mix(SEED) ^ mix((value - GOLDEN) & WORD)
    return lambda counter: mix((key + counter * GOLDEN) & WORD)


def readers(parameters):
    """By matrix: the places it reads, its signs, and its deviation; and the array's length."""
    names = [n for n in parameters if n.endswith(HIDDEN)]
    total = sum(parameters[n].numel() for n in names)
    length = max(1, round(SHARE * total))
    turns, signs, index, read = generator("folds"), generator("signs"), 0, {}
    for name in names:
        numbers = range(index, index + parameters[name].numel())
        index = numbers.stop
        turn = [turns(f) * length >> 64 for f in range(index // length + 1)]
        places = torch.tensor([(turn[i // length] + i % length) % length for i in numbers])
        sign = torch.tensor([1.0 - 2.0 * (signs(i // 64) >> (i % 64) & 1) for i in numbers])
        read[name] = places, sign, 1 / math.sqrt(parameters[name].shape[-1])
    return read, length


def main():
    torch.manual_seed(4)
    parameters = recorded.make_parameters(MODEL)
    start = [p.detach().clone() for p in parameters.values()]
    read, length = readers(parameters)
    counts, squares = torch.zeros(length), torch.zeros(length, dtype=torch.double)
    for places, _, deviation in read.values():
        counts.index_add_(0, places, torch.ones(len(places)))
        squares.index_add_(0, places, torch.full((len(places),), deviation**2, dtype=torch.double))
    own = (squares / counts).sqrt().float()
    factors = {n: sign * deviation / own[places] for n, (places, sign, deviation) in read.items()}
    array, known = torch.zeros(length), 0
    for name, (places, _, _) in read.items():
        first = min(len(places), length - known)
        weights = parameters[name].detach().flatten()[:first]
        array[places[:first]] = weights / factors[name][:first]
        known += first
    array.requires_grad_()
    trained = {n: p for n, p in parameters.items() if n not in read} | {"model.shared.weight": array}
    steps, peak, warmup, decay = recorded.STEPS, recorded.PEAK, recorded.WARMUP, recorded.DECAY
    groups = [{"params": [p for n, p in trained.items() if p.dim() > 1 or n == "model.shared.weight"],
               "weight_decay": decay / peak},
              {"params": [p for n, p in trained.items() if p.dim() == 1 and n != "model.shared.weight"],
               "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), eps=1e-8)
    batches = torch.randint(0, 256, (steps, MODEL["batch"], MODEL["context"] + 1))
    losses, norms, first = [], [], array.detach().clone()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = peak * min(1, (step + 1) / warmup)
        optimizer.zero_grad()
        now = dict(trained)
        for name, (places, _, _) in read.items():
            now[name] = (array[places] * factors[name]).view(parameters[name].shape)
        _, loss, total, _ = recorded.run(MODEL, now, batches[step])
        total.backward()
        # The scaler: the readers' squared factors sum up to their number.
        array.grad /= counts
        if step == 0:
            gradient = array.grad.clone()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), 1.0).item())
        optimizer.step()
        losses.append(loss.item())
    about = dict(MODEL, share=SHARE, seed=SEED, losses=losses, grad_norms=norms,
                 batches=batches.flatten(1).tolist(), peak=peak, warmup=warmup, weight_decay=decay,
                 tensors=[dict(name=n, count=p.numel()) for n, p in parameters.items()],
                 final_norm=array.detach().double().norm().item())
    folder = pathlib.Path(__file__).parent
    (folder / "shared.json").write_text(json.dumps(about) + "\n")
    (folder / "shared.bin").write_bytes(
        b"".join(t.float().contiguous().numpy().tobytes() for t in [*start, first, gradient]))


if __name__ == "__main__":
    main()
