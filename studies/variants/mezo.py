"""A step of Sparse MeZO, the direction drawn again from a stored seed: the twin of `--optimizer mezo`."""

import torch

from variants import plain

EPSILON, RATE, SPARSITY = 1e-3, 1e-4, 0.75


def step(width: int, layers: int, heads: int, context: int, batch: int):
    model = plain.model(width, layers, heads, context).requires_grad_(False)
    parameters = list(model.parameters())
    thresholds = [torch.quantile(p.abs().flatten(), 1 - SPARSITY) for p in parameters]
    generator, count = torch.Generator(), 0

    def shift(scale: float, masks) -> None:
        generator.manual_seed(count)
        for p, mask in zip(parameters, masks):
            p.addcmul_(torch.randn(p.shape, generator=generator), mask, value=scale)

    @torch.no_grad()
    def take(windows: torch.Tensor) -> float:
        nonlocal count
        count += 1
        masks = [(p.abs() <= h).float() for p, h in zip(parameters, thresholds)]
        kept = [p.clone() for p in parameters]
        shift(EPSILON, masks)
        ahead = plain.loss(model, windows).item()
        for p, old in zip(parameters, kept):
            p.copy_(old)
        shift(-EPSILON, masks)
        behind = plain.loss(model, windows).item()
        for p, old in zip(parameters, kept):
            p.copy_(old)
        shift(-RATE * (ahead - behind) / (2 * EPSILON), masks)
        return (ahead + behind) / 2

    return take
