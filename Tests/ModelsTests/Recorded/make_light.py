#!/usr/bin/env python3
"""Records what PyTorch makes of masks and importances: Light-PEFT's estimating phase (2406.03792).

usage: make_light.py  (needs torch; writes light.json beside this file)

The numbers of tensor k of the layout, the trunk's counted after what is trained, are
scale·sin(1.3·i + 0.7·k) for i = 0, 1, …, where the scale is 1/sqrt(last extent), for an adapter's
matrices 0.5; gains and masks are 1 + 0.3·sin. Tokens are (7·j + 3·j·j) mod 256.
"""
import json, math, pathlib
import torch
import torch.nn.functional as F
from make_recorded import LINEAR, block_shapes, norm, rotate

D, LAYERS, HEADS, T, B, RANK, ALPHA = 8, 2, 2, 4, 2, 3, 5.0


def layout(method):
    """What is trained and the trunk, each in the order of the engine's layout."""
    c = dict(width=D, layers=LAYERS, heads=HEADS)
    trunk, trained = {"model.embed_tokens.weight": (256, D)}, {}
    for i in range(LAYERS):
        p = f"model.layers.{i}."
        shapes = block_shapes(c, p)
        trunk |= shapes
        for half, weights in [("self_attn", LINEAR[:2]), ("mlp", LINEAR[2:])]:
            for name in weights:
                if method == "lora":
                    out, inner = shapes[p + name + ".weight"]
                    trained[p + name + ".lora_A.weight"] = (RANK, inner)
                    trained[p + name + ".lora_B.weight"] = (out, RANK)
            trained[p + ("self_attn.head_mask" if half == "self_attn" else "mlp.channel_mask")] = (
                (HEADS,) if half == "self_attn" else (4 * D,))
            if method == "bottleneck":
                trained[p + half + ".adapter_down.weight"] = (RANK, D)
                trained[p + half + ".adapter_up.weight"] = (D, RANK)
    trunk["model.final_layernorm.weight"] = (D,)
    trunk["lm_head.weight"] = (256, D)
    return trained, trunk


def fill(shapes, first):
    tensors = {}
    for k, (name, shape) in enumerate(shapes.items(), first):
        wave = torch.sin(1.3 * torch.arange(math.prod(shape), dtype=torch.float64) + 0.7 * k)
        beside = "lora" in name or "adapter" in name
        scale = 0.5 if beside else 1 / math.sqrt(shape[-1])
        values = 1 + 0.3 * wave if len(shape) == 1 else scale * wave
        tensors[name] = values.reshape(shape)
    return tensors


def share(part, whole):
    return (part.norm(dim=-1) / whole.norm(dim=-1)).mean().item()


def linear(P, name, x, shares):
    y = x @ P[name + ".weight"].T
    if name + ".lora_A.weight" not in P:
        return y
    own = ALPHA / RANK * (x @ P[name + ".lora_A.weight"].T) @ P[name + ".lora_B.weight"].T
    shares.append(share(own, y))
    return y + own


def half(P, p, h, shares):
    if p + ".adapter_down.weight" not in P:
        return h
    own = F.gelu(h @ P[p + ".adapter_down.weight"].T, approximate="tanh") @ P[p + ".adapter_up.weight"].T
    shares.append(share(own, h))
    return h + own


def run(P, tokens):
    x, shares = P["model.embed_tokens.weight"][tokens[:, :-1]], []
    for i in range(LAYERS):
        p, Dh = f"model.layers.{i}.", D // HEADS
        h = norm(x, P[p + "input_layernorm.weight"])
        qkv = linear(P, p + LINEAR[0], h, shares).view(B, T, HEADS, 3, Dh).permute(3, 0, 2, 1, 4)
        z = rotate(qkv[0]) @ rotate(qkv[1]).transpose(-1, -2) / math.sqrt(Dh)
        z = z.masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -math.inf)
        a = F.softmax(z, -1) @ qkv[2] * P[p + "self_attn.head_mask"].view(1, HEADS, 1, 1)
        a = linear(P, p + LINEAR[1], a.transpose(1, 2).reshape(B, T, D), shares)
        x = x + half(P, p + "self_attn", a, shares)
        h = norm(x, P[p + "post_attention_layernorm.weight"])
        h = F.gelu(linear(P, p + LINEAR[2], h, shares), approximate="tanh") * P[p + "mlp.channel_mask"]
        x = x + half(P, p + "mlp", linear(P, p + LINEAR[3], h, shares), shares)
    logits = norm(x, P["model.final_layernorm.weight"]) @ P["lm_head.weight"].T
    return F.cross_entropy(logits.reshape(-1, 256), tokens[:, 1:].reshape(-1)), shares


def scores(P):
    """|mean_j A_ij dA_ij| + |mean_j B_ji dB_ji| of each rank, by module."""
    result = []
    for name, down in P.items():
        if not name.endswith((".lora_A.weight", ".adapter_down.weight")):
            continue
        up = P[name.replace("lora_A", "lora_B").replace("adapter_down", "adapter_up")]
        result.append(((down * down.grad).mean(1).abs() + (up * up.grad).mean(0).abs()).tolist())
    return result


def least(values, share):
    """The places of the least values, that share of them by the quantile of their order."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    return set(order[:round(share * len(values))])


def kept(heads, channels, modules, ranks):
    trunk, fewer, half = 0.33, 0.75, 0.5
    gone = [least(layer, trunk) for layer in heads]
    flat = [m for layer in channels for m in layer]
    out = least(flat, trunk)
    left = [m for m in range(len(modules)) if m not in least(modules, fewer)]
    numbers = [(m, r) for m in left for r in range(RANK)]
    cut = least([ranks[m][r] for m, r in numbers], half)
    stay = [n for i, n in enumerate(numbers) if i not in cut]
    return dict(
        heads=[[h for h in range(HEADS) if h not in g] for g in gone],
        channels=[[f for f in range(4 * D) if i * 4 * D + f not in out] for i in range(LAYERS)],
        ranks=[[r for m, r in stay if m == module] for module in range(len(modules))])


def record(method):
    trained, trunk = layout(method)
    own = {n: t.requires_grad_() for n, t in fill(trained, 0).items()}
    P = fill(trunk, len(trained)) | own
    j = torch.arange(B * (T + 1))
    loss, shares = run(P, ((7 * j + 3 * j * j) % 256).view(B, T + 1))
    loss.backward()
    masks = lambda word: [t for n, t in own.items() if n.endswith(word)]
    heads, channels, ranks = masks("head_mask"), masks("channel_mask"), scores(own)
    values = lambda tensors: [t.tolist() for t in tensors]
    return dict(
        method=method, loss=loss.item(), modules=shares, ranks=ranks,
        head_gradients=[t.grad.tolist() for t in heads],
        channel_gradients=[t.grad.tolist() for t in channels],
        kept=kept(values(heads), values(channels), shares, ranks))


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    cases = [record(method) for method in ("lora", "bottleneck")]
    (pathlib.Path(__file__).parent / "light.json").write_text(json.dumps(cases) + "\n")
