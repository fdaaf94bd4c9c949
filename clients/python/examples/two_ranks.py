"""Two processes that train one model: what is asked of rank 0, all apply at the same step.

torchrun --standalone --nproc-per-node=2 two_ranks.py        some ten seconds on a CPU
"""

import time
import zlib

import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel

import seismo

STEPS = 20


def main():
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    torch.manual_seed(rank)
    model = DistributedDataParallel(torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    factor = seismo.multiplier(optimizer)
    halved_at = None
    # Every rank says the same; rank 0 alone writes and is asked.
    with seismo.init(name="two-ranks", total_steps=STEPS) as run:
        run.controls(lr=factor)
        for step in run.steps(STEPS):
            if factor.value != 1 and halved_at is None:
                halved_at = step
            loss = model(torch.randn(16, 8)).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log({"loss": loss}, step=step)
            if step == 9:
                run.request("set lr.multiplier 0.5")
    weights = zlib.crc32(model.module.weight.detach().numpy().tobytes())
    print(f"rank {rank}: the rate was halved at step {halved_at}, weights {weights:08x}")
    # A thread of Gloo that lets go of the last reduction while the interpreter ends would abort it.
    time.sleep(0.5)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
