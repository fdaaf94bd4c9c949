"""Two ranks train a GPT under DistributedDataParallel; rank 0 is asked for switches."""

import time
import zlib

import torch
import torch.distributed as distributed
from torch.nn.parallel import DistributedDataParallel
from torch_models import gpt, tokens

import seismo

distributed.init_process_group("gloo")
rank = distributed.get_rank()
model = DistributedDataParallel(gpt())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
run = seismo.init(name="ranks", total_steps=16)
seismo.watch(model, optimizer, every=5)
switches = seismo.mitigations(model, optimizer, blend_steps=4)
states = []
for step in run.steps(16):
    states.append(switches["qk_layernorm"])
    optimizer.zero_grad()
    batch = tokens(2 * step + rank)
    loss = seismo.loss(model(batch, batch)[1])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    run.log({"loss": loss}, step=step)
    if step == 5:
        for words in ("set qk_layernorm on", "set z_loss 1e-3", "set zclip on"):
            run.request(words)
mine = torch.cat([p.detach().flatten() for p in model.parameters()])
print(f"rank {rank}: on at {states.index(True)}, weights {zlib.crc32(mine.numpy().tobytes()):08x}")
run.finish()
# A thread of Gloo that lets go of the last reduction while the interpreter ends would abort it.
time.sleep(0.5)
distributed.destroy_process_group()
