#!/usr/bin/env python3
"""Records small models of transformers' own families: folders as it writes them, and what it computes.

usage: make_families.py [NAME...]   (needs torch, transformers; writes NAME/ here, and rotations.json)

NAME has `config.json` and the weights of `save_pretrained`, and beside them `gradients.safetensors`, the
gradients of the mean loss under the weights' names, and `outputs.safetensors`: the tokens [B, T+1] as
numbers, the logits [B, T, V] and the loss, and `greedy` [B, T+1]: the first token of a row, and what the model
then writes with the likeliest ones.
"""
import copy, json, pathlib, shutil, sys
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PersimmonConfig, PersimmonForCausalLM

CONTEXT, BATCH = 6, 2
SIZES = dict(hidden_size=8, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
             max_position_embeddings=CONTEXT, vocab_size=256)
LLAMA = SIZES | dict(hidden_size=16, num_attention_heads=4)
GPT2 = dict(n_embd=8, n_layer=2, n_head=2, n_positions=CONTEXT, vocab_size=256,
            attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)
NONE = dict(bos_token_id=None, eos_token_id=None, pad_token_id=None)
CASES = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(**GPT2, **NONE), {}),
    "gpt2-untied": (GPT2LMHeadModel, GPT2Config(**GPT2, **NONE, n_inner=20, tie_word_embeddings=False,
                                                layer_norm_epsilon=1e-3), {}),
    "llama": (LlamaForCausalLM, LlamaConfig(**LLAMA, **NONE, num_key_value_heads=2,
                                            rope_parameters=dict(rope_type="default", rope_theta=500.0)), {}),
    # In shards, and in bfloat16.
    "llama-tied": (LlamaForCausalLM, LlamaConfig(**SIZES, **NONE, num_key_value_heads=2, rms_norm_eps=1e-3,
                                                 tie_word_embeddings=True),
                   dict(dtype=torch.bfloat16, max_shard_size="4KB")),
    "persimmon": (PersimmonForCausalLM, PersimmonConfig(
        **SIZES, **NONE, hidden_act="gelu_pytorch_tanh", qk_layernorm=True, layer_norm_eps=1e-4,
        rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=1.0)), {}),
    # Of a tokenizer's ids.
    "llama-ids": (LlamaForCausalLM, LlamaConfig(**(SIZES | dict(vocab_size=300)), **NONE), {}),
    # Heads of an odd width, and a feed-forward layer narrower than it.
    "gpt2-odd": (GPT2LMHeadModel, GPT2Config(**GPT2 | dict(n_embd=9, n_head=3, n_inner=7), **NONE), {}),
}
# What a config.json says of rotary positions, beside its sizes.
ROTATIONS = [
    {}, {"rope_theta": 77.0}, {"rope_parameters": {"rope_theta": 500.0}, "rope_theta": 77.0},
    {"rope_parameters": {"rope_type": "default"}, "rope_theta": 77.0}, {"rope_parameters": {}, "rope_theta": 77.0},
    {"rope_parameters": None, "rope_scaling": None, "rope_theta": 77.0}, {"rope_parameters": {"type": "linear", "factor": 4.0}},
    {"rope_parameters": {"rope_theta": 500.0, "rope_type": "linear", "factor": 4.0}},
    {"rope_scaling": {"type": "linear", "factor": 4.0}}, {"rope_scaling": {"rope_type": "dynamic", "factor": 4.0}},
    {"rope_scaling": {"rope_type": "default", "rope_theta": 500}}, {"rope_scaling": {"rope_theta": 500}, "rope_theta": 77.0},
    {"rope_scaling": {"type": "default"}, "rope_theta": 77.0}, {"rope_scaling": {"factor": 4.0}, "rope_theta": 77.0},
    {"rope_scaling": {}, "rope_parameters": {"rope_theta": 500.0}},
    {"rope_scaling": {"type": "default"}, "rope_parameters": {"rope_theta": 500.0}, "rope_theta": 77.0},
    {"rope_scaling": {"type": "default"}, "rope_parameters": {"rope_type": "linear", "factor": 4.0}},
    {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}},
    {"rope_scaling": {"type": "linear", "rope_type": "default", "factor": 4.0}},
    {"rope_scaling": {"type": "default", "rope_type": "linear", "factor": 4.0}},
    {"rotary_emb_base": 77, "rotary_pct": 0.25, "rope_pct": 0.25},
]
# The same with shares of a head, which the rotation of a Persimmon alone reads.
SHARES = [
    {"partial_rotary_factor": 1.0}, {"partial_rotary_factor": 0.5}, {"rope_parameters": {"rope_theta": 500.0}},
    {"rope_parameters": {"rope_theta": 500.0}, "partial_rotary_factor": 1.0},
    {"rope_parameters": {"partial_rotary_factor": 1.0}, "partial_rotary_factor": 0.5, "rope_theta": 77.0},
    {"rope_parameters": {"partial_rotary_factor": 0.5}, "partial_rotary_factor": 1.0},
    {"rope_scaling": {"partial_rotary_factor": 1.0, "rope_theta": 500.0}, "partial_rotary_factor": 0.5},
    {"rope_scaling": {"type": "default"}, "rope_parameters": {"partial_rotary_factor": 1.0}},
]


def record(name, seed):
    kind, config, saving = CASES[name]
    torch.manual_seed(seed)
    model = kind(config)
    dtype, shard = saving.get("dtype", torch.float32), saving.get("max_shard_size", "1GB")
    with torch.no_grad():
        for key, p in model.named_parameters():
            bias, gain = key.endswith(".bias"), p.dim() == 1 and not key.endswith(".bias")
            scale = 0.0 if bias and name == "persimmon" else 0.2 if p.dim() == 1 else p.shape[-1] ** -0.5
            p.copy_((torch.randn_like(p) * scale + (1.0 if gain else 0.0)).to(dtype).float())
    folder = pathlib.Path(__file__).parent / name
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Read again: the angles of positions are no weights, and have lost digits with them.
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    rows = torch.randint(0, config.vocab_size, (BATCH, CONTEXT + 1))
    logits = model(rows[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
    loss.backward()
    gradients = {k: p.grad.contiguous() for k, p in model.named_parameters() if p.grad is not None}
    save_file(gradients, folder / "gradients.safetensors")
    greedy = model.generate(rows[:, :1], attention_mask=torch.ones_like(rows[:, :1]), do_sample=False,
                            max_new_tokens=CONTEXT)
    save_file({"tokens": rows.float(), "logits": logits.detach().contiguous(), "loss": loss.detach().reshape(1),
               "greedy": greedy.float().contiguous()}, folder / "outputs.safetensors")
    print(name, loss.item(), sorted(p.name for p in folder.iterdir()))


def record_rotations():
    """Writes rotations.json: what is said, and what transformers makes of it; a share of 1 where there is none."""
    cases = [(LlamaConfig, given) for given in ROTATIONS]
    cases += [(PersimmonConfig, {"partial_rotary_factor": 1.0} | given) for given in ROTATIONS]
    cases += [(PersimmonConfig, given) for given in SHARES]
    found = []
    for kind, given in cases:
        made = kind(**SIZES, **copy.deepcopy(given)).rope_parameters
        found.append(dict(family=kind.model_type, given=given, kind=made["rope_type"], base=made["rope_theta"],
                          share=made.get("partial_rotary_factor", 1.0)))
    text = ",\n".join(json.dumps(case) for case in found)
    (pathlib.Path(__file__).parent / "rotations.json").write_text(f"[\n{text}\n]\n")


if "rotations" in (sys.argv[1:] or ["rotations"]):
    record_rotations()
for seed, name in enumerate(CASES):
    if name in (sys.argv[1:] or CASES):
        record(name, seed)
