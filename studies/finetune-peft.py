#!/usr/bin/env python3
"""Has the real PEFT load an adapter that Seismo wrote, and compares its logits with Seismo's merged weights.

usage: finetune-peft.py CHECKPOINT MERGED     (needs torch, transformers, peft)

CHECKPOINT is one of `seismo finetune BASE --method lora`, MERGED what its `--merge-into` wrote:

    seismo train --preset tiny --steps 500 --headless --session a.seismo
    seismo finetune a.checkpoints --method lora --steps 200 --data other.txt --headless \\
      --session b.seismo --merge-into merged

Then writes the adapter again with PEFT's own writer, beside the first, and says whether Seismo's reader
is given the same numbers: `seismo finetune a.checkpoints --adapter CHECKPOINT/adapter-by-peft`.
"""
import pathlib, sys
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

checkpoint, merged = map(pathlib.Path, sys.argv[1:])
torch.manual_seed(0)


def model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


base = model(checkpoint)
tokens = torch.randint(0, 256, (4, base.config.max_position_embeddings))
with torch.no_grad():
    plain = base(tokens).logits
    adapted = PeftModel.from_pretrained(base, checkpoint / "adapter").eval()
    own = adapted(tokens).logits
    theirs = model(merged)(tokens).logits
print(f"the adapter moves the logits by up to {(own - plain).abs().max():.3g}")
print(f"PEFT against Seismo's merged weights: {(own - theirs).abs().max():.3g}")
again = checkpoint / "adapter-by-peft"
adapted.save_pretrained(again)
first, second = (load_file(f / "adapter_model.safetensors") for f in (checkpoint / "adapter", again))
same = first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)
print(f"written again by PEFT to {again}: {'the same tensors' if same else 'OTHER TENSORS'}")
sys.exit(not (same and (own - theirs).abs().max() < 1e-4 < (own - plain).abs().max()))
