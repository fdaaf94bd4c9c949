#!/usr/bin/env python3
"""Records what PyTorch computes for small transformers: logits, loss, gradients, ten steps of
AdamW or Lion.

usage: make_recorded.py [NAME...]  (needs torch; writes NAME.json and NAME.bin beside this file)

NAME.bin is raw little-endian float32: what is trained, then its gradients (tensors in the order and
shapes of the json), where an adapter is trained the frozen trunk, then the logits [B, T, 256] of the
first batch. Weights are [out, in]. Names may be given to record some alone.
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
    "dense-lion": dict(width=8, layers=1, heads=1, context=5, batch=2, optimizer="lion", seed=52),
    "kat": dict(width=16, layers=2, heads=2, context=5, batch=2, kat=True),
    "lora": dict(width=12, layers=2, heads=2, context=6, batch=2,
                 adapter=dict(method="lora", rank=3, alpha=5.0)),
    "svfit": dict(width=12, layers=2, heads=2, context=6, batch=2, qk_layernorm=1.0,
                  adapter=dict(method="svfit", rank=4, alpha=8.0)),
    "bottleneck": dict(width=12, layers=2, heads=2, context=6, batch=2,
                       adapter=dict(method="bottleneck", rank=3, alpha=8.0)),
    "prefix": dict(width=12, layers=2, heads=2, context=6, batch=2,
                   adapter=dict(method="prefix", rank=3, alpha=8.0)),
    "rank1": dict(width=12, layers=1, heads=2, context=6, batch=2,
                  adapter=dict(method="rank1", rank=1, alpha=1.5)),
    "ladder": dict(width=32, layers=2, heads=2, context=6, batch=2, qk_layernorm=1.0,
                   adapter=dict(method="ladder", rank=4, alpha=8.0)),
    "ssm": dict(width=16, layers=1, heads=2, context=19, batch=2, mixers=["ssm"]),
    "ssm-mixed": dict(width=16, layers=2, heads=2, context=6, batch=4, mixers=["attention", "ssm"],
                      qk_layernorm=0.37),
}
GROUPS, TAPS = 4, 3
# Neither weights nor decayed, whatever their shapes.
COEFFICIENTS = ("mixer.conv.weight", "mixer.dt_proj.weight")
STEPS, PEAK, WARMUP, DECAY = 10, 0.02, 4, 1e-3


def mixer(c, layer):
    return c.get("mixers", ["attention"])[layer % len(c.get("mixers", ["attention"]))]


def state_space_shapes(D):
    d = D // GROUPS
    R, squeezed = (d + 15) // 16, max(4, D // 16)
    shapes = {}
    for g in range(GROUPS):
        shapes[f"groups.{g}.in_proj.weight"] = (2 * d, d)
        shapes[f"groups.{g}.x_proj.weight"] = (R + 2, d)
        shapes[f"groups.{g}.out_proj.weight"] = (d, d)
    return shapes | {
        "conv.weight": (TAPS, D), "conv.bias": (D,), "dt_proj.weight": (R, D), "dt_proj.bias": (D,),
        "A_log": (D,), "D": (D,), "norm.weight": (D,), "scale": (1,),
        "squeeze.weight": (squeezed, D), "excite.weight": (D, squeezed), "out_proj.weight": (D, D)}


def make_parameters(c):
    D, shapes = c["width"], {"model.embed_tokens.weight": (256, c["width"])}
    for i in range(c["layers"]):
        shapes |= block_shapes(c, f"model.layers.{i}.", mixer(c, i))
    shapes["model.final_layernorm.weight"] = (D,)
    shapes["lm_head.weight"] = (256, D)
    return draw(shapes)


def block_shapes(c, p, kind="attention"):
    D, Dh, shapes = c["width"], c["width"] // c["heads"], {}
    shapes[p + "input_layernorm.weight"] = (D,)
    if kind == "ssm":
        shapes |= {p + "mixer." + n: s for n, s in state_space_shapes(D).items()}
    else:
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
        return shapes
    for side, out, inner in (("1", "dense_h_to_4h", D), ("2", "dense_4h_to_h", 4 * D)):
        if "kat" in c:
            shapes[p + f"mlp.act{side}.numerator"] = (6,)
            shapes[p + f"mlp.act{side}.denominators"] = (8, 4)
        shapes[p + f"mlp.{out}.weight"] = (5 * D - inner, inner)
    return shapes


def draw(shapes):
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


LINEAR = ["self_attn.query_key_value", "self_attn.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"]


def make_adapter(c, trunk):
    """What is trained beside a frozen trunk, in the order of the layout, away from where it begins."""
    method, r, D, P = c["adapter"]["method"], c["adapter"]["rank"], c["width"], {}
    if method == "ladder":
        return make_ladder(side(c), D)
    for i in range(c["layers"]):
        p = f"model.layers.{i}."
        for half, weights in [("self_attn", LINEAR[:2]), ("mlp", LINEAR[2:])]:
            for name in weights:
                rows, columns = trunk[p + name + ".weight"].shape
                if method in ("lora", "rank1"):
                    P[p + name + ".lora_A.weight"] = torch.randn(r, columns) / math.sqrt(columns)
                    P[p + name + ".lora_B.weight"] = torch.randn(rows, r) / math.sqrt(r)
                if method == "svfit":
                    P[p + name + ".svfit_change"] = 0.3 * torch.randn(r)
            if method == "prefix" and half == "self_attn":
                P[p + "self_attn.prefix_key.weight"] = torch.randn(r, D) / math.sqrt(D)
                P[p + "self_attn.prefix_value.weight"] = torch.randn(r, D)
            if method == "bottleneck":
                P[p + half + ".adapter_down.weight"] = torch.randn(r, D) / math.sqrt(D)
                P[p + half + ".adapter_up.weight"] = torch.randn(D, r) / math.sqrt(r)
    return {n: t.requires_grad_() for n, t in P.items()}


def side(c):
    """The shape of a ladder's side network."""
    own = {k: v for k, v in c.items() if k != "adapter"}
    return own | {"width": c["width"] // c["adapter"]["rank"]}


def make_ladder(c, width):
    S, shapes = c["width"], {}
    for i in range(c["layers"] + 1):
        shapes |= {f"ladder.down.{i}.weight": (S, width), f"ladder.down.{i}.bias": (S,)}
    shapes["ladder.gates"] = (c["layers"],)
    for i in range(c["layers"]):
        shapes |= block_shapes(c, f"ladder.layers.{i}.")
    P = draw(shapes | {"ladder.layernorm.weight": (S,), "ladder.up.weight": (width, S)})
    P["ladder.gates"] = (0.1 * torch.randn(c["layers"])).requires_grad_()
    return P


def climb(c, P, i, s, x):
    """The side stream behind a block of the trunk, whose stream x passes no gradient back."""
    rung = x.detach() @ P[f"ladder.down.{i}.weight"].T + P[f"ladder.down.{i}.bias"]
    if i == 0:
        return rung
    share = torch.sigmoid(P["ladder.gates"][i - 1] / 0.1)
    return block(side(c), P, f"ladder.layers.{i - 1}.", share * s + (1 - share) * rung)[0]


def adapted(c, trunk, P):
    """The weights that a pass meets: the trunk's, with what stands beside them."""
    method, r = c["adapter"]["method"], c["adapter"]["rank"]
    weights = dict(trunk) | P
    for i in range(c["layers"]):
        for name in [f"model.layers.{i}.{n}" for n in LINEAR]:
            if method in ("lora", "rank1"):
                weights[name + ".weight"] = trunk[name + ".weight"] + c["adapter"]["alpha"] / r * (
                    P[name + ".lora_B.weight"] @ P[name + ".lora_A.weight"])
            if method == "svfit":
                u, _, v = torch.linalg.svd(trunk[name + ".weight"], full_matrices=False)
                weights[name + ".weight"] = trunk[name + ".weight"] + (
                    u[:, :r] * P[name + ".svfit_change"]) @ v[:r]
    return weights


def bottleneck(P, p, h):
    if p + "adapter_down.weight" not in P:
        return h
    inner = F.gelu(h @ P[p + "adapter_down.weight"].T, approximate="tanh")
    return h + inner @ P[p + "adapter_up.weight"].T


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
    seen = rotate(q)
    if w > 0:
        qn, kn = norm(q, P[p + "q_layernorm.weight"]), norm(k, P[p + "k_layernorm.weight"])
        z = (1 - w) * z + w * (rotate(qn) @ rotate(kn).transpose(-1, -2))
        seen = (1 - w) * seen + w * rotate(qn)
    z = (z / math.sqrt(D // H)).masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -math.inf)
    peak = z.detach().amax().item()
    if p + "prefix_key.weight" in P:
        heads = lambda m: m.view(-1, H, D // H).transpose(0, 1).expand(B, -1, -1, -1)
        z = torch.cat((seen @ heads(P[p + "prefix_key.weight"]).transpose(-1, -2) / math.sqrt(D // H), z), -1)
        v = torch.cat((heads(P[p + "prefix_value.weight"]), v), 2)
    a = (F.softmax(z, -1) @ v).transpose(1, 2).reshape(B, T, D)
    return bottleneck(P, p, a @ P[p + "dense.weight"].T), peak


def scan(x, delta, B, C, A_log, skip):
    """h_t = exp(-D_t exp(A_log)) h_(t-1) + D_t B_t x_t; y_t = C_t h_t + skip x_t, a step at a time."""
    h, ys = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        h = torch.exp(-delta[:, t] * torch.exp(A_log)) * h + delta[:, t] * B[:, t] * x[:, t]
        ys.append(C[:, t] * h + skip * x[:, t])
    return torch.stack(ys, 1)


def mix(P, p, x, gain):
    """GroupMamba's layer with all scans from left to right and the mean of the positions so far."""
    B, T, D = x.shape
    d, parts = D // GROUPS, []
    R = P[p + "dt_proj.weight"].shape[0]
    for g in range(GROUPS):
        q, own = f"{p}groups.{g}.", slice(g * d, (g + 1) * d)
        u, z = (x[..., own] @ P[q + "in_proj.weight"].T).split(d, -1)
        u = F.conv1d(F.pad(u.transpose(1, 2), (TAPS - 1, 0)),
                     P[p + "conv.weight"][:, own].T.unsqueeze(1), P[p + "conv.bias"][own], groups=d)
        u = F.silu(u.transpose(1, 2))
        r, b, c = (u @ P[q + "x_proj.weight"].T).split((R, 1, 1), -1)
        delta = F.softplus(r @ P[p + "dt_proj.weight"][:, own] + P[p + "dt_proj.bias"][own])
        y = scan(u, delta, b, c, P[p + "A_log"][own], P[p + "D"][own])
        parts.append((norm(y, P[p + "norm.weight"][own]) * F.silu(z)) @ P[q + "out_proj.weight"].T)
    mean = x.cumsum(1) / torch.arange(1, T + 1).view(1, T, 1)
    gates = torch.sigmoid(F.relu(mean @ P[p + "squeeze.weight"].T) @ P[p + "excite.weight"].T)
    return norm(P[p + "scale"] * torch.cat(parts, -1) * x * gates, gain) @ P[p + "out_proj.weight"].T


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


def block(c, P, p, x, kind="attention"):
    """Returns the stream, the largest attention logit or None, and the balance loss."""
    gain, peak = P[p + "input_layernorm.weight"], None
    if kind == "ssm":
        a = mix(P, p + "mixer.", norm(x, gain), gain)
    else:
        a, peak = attend(c, P, p + "self_attn.", norm(x, gain))
    x = x + a
    h = norm(x, P[p + "post_attention_layernorm.weight"])
    if "experts" in c:
        y, aux = mixture(c, P, p + "mlp.", h)
        return x + y, peak, aux
    if "kat" in c:
        for side, out in (("1", "dense_h_to_4h"), ("2", "dense_4h_to_h")):
            h = rational(h, P[p + f"mlp.act{side}.numerator"], P[p + f"mlp.act{side}.denominators"])
            h = h @ P[p + f"mlp.{out}.weight"].T
        return x + h, peak, 0.0
    h = F.gelu(h @ P[p + "mlp.dense_h_to_4h.weight"].T, approximate="tanh")
    return x + bottleneck(P, p + "mlp.", h @ P[p + "mlp.dense_4h_to_h.weight"].T), peak, 0.0


def run(c, P, tokens):
    """Returns logits, cross-entropy, what the gradient is taken of, and the largest logit a layer."""
    x, balance, peaks = P["model.embed_tokens.weight"][tokens[:, :-1]], 0.0, []
    s = climb(c, P, 0, None, x) if "ladder.gates" in P else None
    for i in range(c["layers"]):
        x, peak, aux = block(c, P, f"model.layers.{i}.", x, mixer(c, i))
        balance = balance + aux
        if peak is not None:
            peaks.append(peak)
        if s is not None:
            s = climb(c, P, i + 1, s, x)
    if s is not None:
        x = x + norm(s, P["ladder.layernorm.weight"]) @ P["ladder.up.weight"].T
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


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023 (2302.06675)."""

    def __init__(self, groups, lr, betas=(0.9, 0.99)):
        super().__init__(groups, dict(lr=lr, betas=betas, weight_decay=0.0))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), rate = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                direction = beta1 * m + (1 - beta1) * p.grad
                sizes = direction[direction != 0].abs()
                if len(sizes) and sizes.min() < 1e-5 * direction.square().mean().sqrt():
                    raise ValueError("a sum so near 0 that rounding may turn its sign: give another seed")
                p.mul_(1 - rate * group["weight_decay"]).sub_(direction.sign(), alpha=rate)
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def make_optimizer(c, groups):
    if c.get("optimizer") == "lion":
        return Lion(groups, lr=PEAK)
    return torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.95), eps=1e-8)


def record(name, c, folder):
    torch.manual_seed(c.get("seed", len(name)))
    P, trunk = make_parameters(c), {}
    if "adapter" in c:
        trunk = {n: p.detach() for n, p in P.items()}
        P = make_adapter(c, trunk)
    met = lambda: adapted(c, trunk, P) if trunk else P
    batches = torch.randint(0, 256, (STEPS, c["batch"], c["context"] + 1))
    logits, loss, total, peaks = run(c, met(), batches[0])
    total.backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in P.values()]
    numbers = [*(p.detach().clone() for p in P.values()), *(g.clone() for g in grads), *trunk.values(),
               logits.detach()]
    # A coupled decay of wd/peak is a decay of wd·(lr/peak), independent of the rate.
    weights = {n for n, p in P.items() if p.dim() > 1 and not n.endswith(COEFFICIENTS)
               and "prefix" not in n and ".act" not in n}
    groups = [{"params": [p for n, p in P.items() if n in weights], "weight_decay": DECAY / PEAK},
              {"params": [p for n, p in P.items() if n not in weights], "weight_decay": 0.0}]
    optimizer = make_optimizer(c, groups)
    losses, norms = [], []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = PEAK * min(1, (step + 1) / WARMUP)
        optimizer.zero_grad()
        _, cross_entropy, total, _ = run(c, met(), batches[step])
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
    if trunk:
        about["trunk"] = [dict(name=n, count=p.numel()) for n, p in trunk.items()]
    (folder / f"{name}.json").write_text(json.dumps(about) + "\n")
    (folder / f"{name}.bin").write_bytes(b"".join(t.float().contiguous().numpy().tobytes() for t in numbers))


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        record(name, CASES[name], pathlib.Path(__file__).parent)
