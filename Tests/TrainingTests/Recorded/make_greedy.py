#!/usr/bin/env python3
"""Records what transformers writes greedily after a prompt with a checkpoint of Seismo.

usage: make_greedy.py CHECKPOINT NAME   (needs torch, transformers; writes NAME.json and NAME.bin here)

NAME.bin is raw little-endian float32: the checkpoint's tensors in the order and shapes of the json,
without the biases, which are zeros. Made of two runs:

    seismo train --preset tiny --width 16 --layers 2 --heads 2 --context 64 --steps 600 --headless
    seismo train … --qk-layernorm
"""
import json, pathlib, sys
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

folder, name = sys.argv[1:]
prompt = b"the w"
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
config = model.config
ids = torch.tensor([list(prompt)])
count = config.max_position_embeddings - len(prompt)
with torch.no_grad():
    text = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=count,
                          min_new_tokens=count, pad_token_id=0)[0, len(prompt):]
tensors = {k: v for k, v in load_file(folder + "/model.safetensors").items() if not k.endswith(".bias")}
here = pathlib.Path(__file__).parent
(here / f"{name}.bin").write_bytes(b"".join(v.contiguous().numpy().tobytes() for v in tensors.values()))
(here / f"{name}.json").write_text(json.dumps({
    "width": config.hidden_size, "layers": config.num_hidden_layers, "heads": config.num_attention_heads,
    "context": config.max_position_embeddings, "qk_layernorm": config.qk_layernorm,
    "prompt": list(prompt), "text": text.tolist(),
    "tensors": [{"name": k, "shape": list(v.shape)} for k, v in tensors.items()],
}, indent=1) + "\n")
