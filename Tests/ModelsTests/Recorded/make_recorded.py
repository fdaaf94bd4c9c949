#!/usr/bin/env python3
"""Records what PyTorch computes for small transformers: logits, loss, gradients, ten steps of AdamW.

usage: make_recorded.py [NAME …]   (needs torch; writes NAME.json and NAME.bin beside this file)

NAME.bin is raw little-endian float32: parameters, then their gradients (tensors in the order and
shapes of the json), then the logits [B, T, 256] of the first batch. Weights are [out, in].
"""
import json, math, pathlib, sys
import torch
import torch.nn.functional as F

CASES = {
    "dense": dict(width=12, layers=2, heads=2, context=6, batch=2),
    "dense-qk-layernorm-z-loss": dict(width=8, layers=2, heads=2, context=5, batch=4,
                                      qk_layernorm=1.0, z_loss=0.01),
    "dense-blend": dict(width=8, layers=1, heads=1, context=5, batch=2, qk_layernorm=0.37),
    "mixture": dict(width=8, layers=2, heads=2, context=5, batch=4, experts=4, expert_width=16,
                    active=2, balance_loss=0.05),
    "dense-capped": dict(width=8, layers=1, heads=1, context=5, batch=2, update_cap=0.02),
    "kat": dict(width=16, layers=2, heads=2, context=5, batch=2, kat=True),
}
STEPS, PEAK, WARMUP, DECAY = 10, 0.02, 4, 1e-3


def make_parameters(c):
    D, Dh = c["width"], c["width"] // c["heads"]
    shapes = {"model.embed_tokens.weight": (256, D)}
    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        shapes[p + "input_layernorm.weight"] = (D,)
        shapes[p + "self_attn.query_key_value.weight"] = (3 * D, D)
        shapes[p + "self_attn.q_layernorm.weight"] = (Dh,)
        shapes[p + "self_attn.k_layernorm.weight"] = (Dh,)
        shapes[p + "self_attn.dense.weight"] = (D, D)
        shapes[p + "post_attention_layernorm.weight"] = (D,)
        if "experts" in c:
            shapes[p + "mlp.router.weight"] = (c["experts"], D)
            for e in range(c["experts"]):
                shapes[p + f"mlp.experts.{e}.up.weight"] = (c["expert_width"], D)
                shapes[p + f"mlp.experts.{e}.down.weight"] = (D, c["expert_width"])
        else:
            for side, out, inner in (("1", "dense_h_to_4h", D), ("2", "dense_4h_to_h", 4 * D)):
                if "kat" in c:
                    shapes[p + f"mlp.act{side}.numerator"] = (6,)
                    shapes[p + f"mlp.act{side}.denominators"] = (8, 4)
                shapes[p + f"mlp.{out}.weight"] = (5 * D - inner, inner)
    shapes["model.final_layernorm.weight"] = (D,)
    shapes["lm_head.weight"] = (256, D)
    make = lambda s: (1 + 0.2 * torch.randn(s)) if len(s) == 1 else torch.randn(s) / math.sqrt(s[-1])
    return {n: (rational_start(n, s) if ".act" in n else make(s)).requires_grad_() for n, s in shapes.items()}


def rational_start(name, shape):
    """Coefficients near those of the identity or of swish, in units of the fit's range, 3."""
    a, b = [[0, 1, 0, 0, 0, 0], [0, 0, 0, 0]] if "act1" in name else [
        [0, 0.5, 0.25, 0.05326628, 0.005803035, 0.0002751961], [0, 0.10652899, 0, 0.00055023]]
    values = [v * 3**k for k, v in enumerate(a)] if "numerator" in name else [v * 3**(i + 1) for i, v in enumerate(b)]
    return torch.tensor(values) + 0.1 * torch.randn(shape)


def rational(x, a, b):
    """P/Q of y = x/3 by groups of columns: one numerator, Q = 1 + sum |b_i| |y|^i a group."""
    y = (x / 3).unflatten(-1, (len(b), -1))
    p = sum(a[k] * y**k for k in range(6))
    q = 1 + sum(b[:, i, None].abs() * y.abs()**(i + 1) for i in range(4))
    return (p / q).flatten(-2)


def rotate(x):
    """Rotary positions over the whole head, halves rotated; x is [B, H, T, Dh]."""
    T, Dh = x.shape[-2:]
    angles = torch.outer(torch.arange(T).float(), 10000.0 ** (-torch.arange(0, Dh, 2).float() / Dh))
    cos, sin = torch.cat((angles, angles), -1).cos(), torch.cat((angles, angles), -1).sin()
    return x * cos + torch.cat((-x[..., Dh // 2:], x[..., :Dh // 2]), -1) * sin


def norm(x, gain):
    return F.layer_norm(x, gain.shape, gain, None, 1e-5)


def attend(c, P, p, x):
    B, T, D = x.shape
    H, w = c["heads"], c.get("qk_layernorm", 0.0)
    qkv = (x @ P[p + "query_key_value.weight"].T).view(B, T, H, 3, D // H).permute(3, 0, 2, 1, 4)
    q, k, v = qkv
    z = rotate(q) @ rotate(k).transpose(-1, -2)
    if w > 0:
        qn, kn = norm(q, P[p + "q_layernorm.weight"]), norm(k, P[p + "k_layernorm.weight"])
        z = (1 - w) * z + w * (rotate(qn) @ rotate(kn).transpose(-1, -2))
    z = (z / math.sqrt(D // H)).masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -math.inf)
    a = (F.softmax(z, -1) @ v).transpose(1, 2).reshape(B, T, D)
    return a @ P[p + "dense.weight"].T, z.detach().amax().item()


def mixture(c, P, p, x):
    t = x.reshape(-1, x.shape[-1])
    probabilities = F.softmax(t @ P[p + "router.weight"].T, -1)
    top, chosen = probabilities.topk(c["active"], -1)
    gates = top / top.sum(-1, keepdim=True)
    share = torch.bincount(chosen.reshape(-1), minlength=c["experts"]).float() / chosen.numel()
    balance = c["balance_loss"] * c["experts"] * (share * probabilities.mean(0)).sum()
    y = torch.zeros_like(t)
    for e in range(c["experts"]):
        h = F.gelu(t @ P[p + f"experts.{e}.up.weight"].T, approximate="tanh")
        gate = (gates * (chosen == e)).sum(-1, keepdim=True)
        y = y + gate * (h @ P[p + f"experts.{e}.down.weight"].T)
    return y.view_as(x), balance


def run(c, P, tokens):
    """Returns logits, cross-entropy, what the gradient is taken of, and the largest logit a layer."""
    x, balance, peaks = P["model.embed_tokens.weight"][tokens[:, :-1]], 0.0, []
    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        a, peak = attend(c, P, p + "self_attn.", norm(x, P[p + "input_layernorm.weight"]))
        x, n = x + a, p + "post_attention_layernorm.weight"
        peaks.append(peak)
        h = norm(x, P[n])
        if "experts" in c:
            y, aux = mixture(c, P, p + "mlp.", h)
            x, balance = x + y, balance + aux
        elif "kat" in c:
            for side, out in (("1", "dense_h_to_4h"), ("2", "dense_4h_to_h")):
                h = rational(h, P[p + f"mlp.act{side}.numerator"], P[p + f"mlp.act{side}.denominators"])
                h = h @ P[p + f"mlp.{out}.weight"].T
            x = x + h
        else:
            h = F.gelu(h @ P[p + "mlp.dense_h_to_4h.weight"].T, approximate="tanh")
            x = x + h @ P[p + "mlp.dense_4h_to_h.weight"].T
    logits = norm(x, P["model.final_layernorm.weight"]) @ P["lm_head.weight"].T
    loss = F.cross_entropy(logits.reshape(-1, 256), tokens[:, 1:].reshape(-1))
    z_loss = c.get("z_loss", 0.0) * torch.logsumexp(logits, -1).square().mean()
    return logits, loss, loss + z_loss + balance, peaks


def bound(parameters, before, cap):
    """Scales each tensor's change to at most cap of its norm; one of an RMS below 1e-3 counts as of that."""
    with torch.no_grad():
        for p, old in zip(parameters, before):
            change, limit = p - old, cap * max(old.norm().item(), 1e-3 * math.sqrt(p.numel()))
            p.copy_(old + change * min(1, limit / max(change.norm().item(), 1e-30)))


def record(name, c, folder):
    torch.manual_seed(len(name))
    P = make_parameters(c)
    batches = torch.randint(0, 256, (STEPS, c["batch"], c["context"] + 1))
    logits, loss, total, peaks = run(c, P, batches[0])
    total.backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in P.values()]
    numbers = [*(p.detach().clone() for p in P.values()), *(g.clone() for g in grads), logits.detach()]
    # A coupled decay of wd/peak is a decay of wd·(lr/peak), independent of the rate.
    decays = lambda n: n.endswith("weight") and P[n].dim() > 1
    groups = [{"params": [p for n, p in P.items() if decays(n)], "weight_decay": DECAY / PEAK},
              {"params": [p for n, p in P.items() if not decays(n)], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = PEAK * min(1, (step + 1) / WARMUP)
        optimizer.zero_grad()
        _, cross_entropy, total, _ = run(c, P, batches[step])
        total.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(P.values(), 1.0).item())
        before = [p.detach().clone() for p in P.values()]
        optimizer.step()
        if "update_cap" in c:
            bound(P.values(), before, c["update_cap"])
        losses.append(cross_entropy.item())
    final = {n: p.detach().double().norm().item() for n, p in P.items()}
    about = dict(c, tensors=[dict(name=n, count=p.numel(), final_norm=final[n]) for n, p in P.items()],
                 batches=batches.flatten(1).tolist(), loss=loss.item(), attention_logit_max=peaks,
                 losses=losses, grad_norms=norms, peak=PEAK, warmup=WARMUP, weight_decay=DECAY)
    (folder / f"{name}.json").write_text(json.dumps(about) + "\n")
    (folder / f"{name}.bin").write_bytes(b"".join(t.float().contiguous().numpy().tobytes() for t in numbers))


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        record(name, CASES[name], pathlib.Path(__file__).parent)
