#!/usr/bin/env python3
"""Records what PyTorch computes for small models that learn from a teacher: both losses and the
gradient of (1 - a) CE + a tau^2 KL(teacher || model) + z-loss.

usage: make_distil.py     (needs torch; writes distil-NAME.json and distil-NAME.bin beside this file)

A .bin is raw little-endian float32: the parameters, their gradients (tensors in the order and shapes
of the json), then the teacher's logits [B, T, 256]. The teacher is a wider model with attention.
"""
import json, pathlib
import torch
import torch.nn.functional as F
import make_recorded as recorded

CASES = {
    "dense": dict(width=12, layers=1, heads=2, context=6, batch=2, share=0.5, temperature=1.0),
    "capped": dict(width=8, layers=1, heads=2, context=5, batch=4, share=0.3, temperature=2.5,
                   z_loss=0.02, cap=1.5),
    "ssm": dict(width=16, layers=1, heads=2, context=7, batch=2, mixers=["ssm"], share=1.0,
                temperature=0.7),
}
TEACHER = dict(width=24, layers=2, heads=2)


def main():
    for name, c in CASES.items():
        torch.manual_seed(11)
        tokens = torch.randint(0, 256, (c["batch"], c["context"] + 1))
        with torch.no_grad():
            own = c | TEACHER | {"mixers": ["attention"]}
            teacher = 2 * recorded.run(own, recorded.make_parameters(own), tokens)[0]
        parameters = recorded.make_parameters(c)
        logits = recorded.run(c, parameters, tokens)[0]
        if "cap" in c:
            logits = c["cap"] * torch.tanh(logits / c["cap"])
        loss = F.cross_entropy(logits.reshape(-1, 256), tokens[:, 1:].reshape(-1))
        t = c["temperature"]
        soft = F.kl_div(F.log_softmax(logits / t, -1), F.log_softmax(teacher / t, -1),
                        reduction="sum", log_target=True) * t * t / (c["batch"] * c["context"])
        z_loss = c.get("z_loss", 0.0) * torch.logsumexp(logits, -1).square().mean()
        ((1 - c["share"]) * loss + c["share"] * soft + z_loss).backward()
        about = c | dict(tokens=tokens.flatten().tolist(), loss=loss.item(), soft=soft.item(),
                         tensors=[dict(name=n, count=p.numel()) for n, p in parameters.items()])
        folder = pathlib.Path(__file__).parent
        (folder / f"distil-{name}.json").write_text(json.dumps(about) + "\n")
        values = list(parameters.values())
        numbers = [p.detach() for p in values] + [
            torch.zeros_like(p) if p.grad is None else p.grad for p in values] + [teacher]
        (folder / f"distil-{name}.bin").write_bytes(
            b"".join(x.float().contiguous().numpy().tobytes() for x in numbers))


if __name__ == "__main__":
    main()
