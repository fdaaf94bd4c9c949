"""Adapters that the program writes, in the real PEFT."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE
from test_binary import BINARY, said

for module in ("torch", "transformers", "peft"):
    pytest.importorskip(module)
pytestmark = pytest.mark.skipif(not BINARY, reason="SEISMO_BINARY names no seismo")

STUDY = Path(__file__).parents[3] / "studies" / "finetune-peft.py"


@pytest.mark.parametrize("family", ["persimmon", "gpt2", "llama"])
def test_peft_computes_what_the_merged_weights_do_and_writes_the_adapter_again(family):
    quick = ["--headless", "--workers", 1, "--eval-every", 0]
    shape = ["--preset", "tiny", "--architecture", family]
    said("train", *shape, "--steps", 20, *quick, "--session", "a.seismo")
    tuning = [*quick, "--steps", 10, "--merge-into", "merged", "--session", "b.seismo"]
    said("finetune", "a.checkpoints", "--method", "lora", *tuning)
    adapted = "b.checkpoints/step-000000010"
    # The study ends with 1 where the logits differ or PEFT's file has other tensors.
    checked = subprocess.run(
        [sys.executable, str(STUDY), adapted, "merged"],
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    again = f"{adapted}/adapter-by-peft"
    said(
        "finetune",
        "a.checkpoints",
        "--adapter",
        again,
        *quick,
        "--steps",
        2,
        "--session",
        "c.seismo",
    )
    assert Path("c.checkpoints/step-000000002/adapter/adapter_config.json").exists()


@pytest.mark.parametrize(
    ("family", "vocabulary"), [("gpt2", 256), ("llama", 256), ("gpt2", 1000), ("llama", 1000)]
)
def test_a_folder_of_transformers_comes_back_trained(family, vocabulary):
    """From what transformers wrote in halves: it then computes there what Seismo tells."""
    import torch
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    names = {"gpt2": ("n_embd", "n_layer", "n_head", "n_positions")}
    keys = names.get(
        family,
        ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"),
    )
    kind, rest = GPT2Config, {}
    if family == "llama":
        kind, rest = LlamaConfig, {"intermediate_size": 48, "num_key_value_heads": 2}
    sizes = dict(zip(keys, (32, 2, 4, 16), strict=True))
    torch.manual_seed(1)
    config = kind(vocab_size=vocabulary, bos_token_id=None, eos_token_id=None, **sizes, **rest)
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained("theirs")
    # Bytes, or a tokenizer's ids of two bytes each.
    letters = [97 + i if vocabulary == 256 else 38 * i for i in range(26)] * 400
    width = 1 if vocabulary == 256 else 2
    Path("text.txt").write_bytes(b"".join(i.to_bytes(width, "little") for i in letters))
    quick = ["--headless", "--workers", 1, "--eval-every", 0, "--batch", 4]
    said("finetune", "theirs", "--data", "text.txt", "--steps", 60, *quick, "--session", "a.seismo")
    ours = "a.checkpoints/step-000000060"
    told = json.loads(said("eval", ours, "--data", "text.txt", "--json").splitlines()[-1])
    model = AutoModelForCausalLM.from_pretrained(ours, dtype=torch.float32).eval()
    windows = torch.tensor(letters).unfold(0, 17, 16)
    assert windows.shape[0] * 16 == told["tokens"]
    with torch.no_grad():
        logits = model(windows[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()).item()
    assert abs(loss - told["loss"]) < 1e-4
    # Of 26 letters in one order, of which nothing was known.
    assert loss < (3.1 if vocabulary == 256 else 5)
