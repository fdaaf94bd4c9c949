"""A training step of Lion: the twin of `--optimizer lion`."""

import torch

from variants import plain

RATE, BETA1, BETA2, DECAY = 3e-4, 0.9, 0.99, 1e-4


class Lion(torch.optim.Optimizer):
    def __init__(self, parameters) -> None:
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self) -> None:
        parameters = [p for p in self.param_groups[0]["params"] if p.grad is not None]
        gradients = [p.grad for p in parameters]
        momenta = [self.state[p].setdefault("exp_avg", torch.zeros_like(p)) for p in parameters]
        directions = torch._foreach_lerp(momenta, gradients, 1 - BETA1)
        torch._foreach_sign_(directions)
        torch._foreach_mul_(parameters, 1 - DECAY)
        torch._foreach_add_(parameters, directions, alpha=-RATE)
        torch._foreach_lerp_(momenta, gradients, 1 - BETA2)


def step(width: int, layers: int, heads: int, context: int, batch: int):
    return plain.descend(plain.model(width, layers, heads, context), make=Lion)
