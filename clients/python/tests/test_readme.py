"""What the READMEs show works as it stands there."""

import re
from pathlib import Path

import pytest
from conftest import events_of, lines_of, only_file, state_of, steps_of

import seismo

CLIENT = Path(__file__).parent.parent
README = CLIENT.parent.parent / "README.md"

PRELUDE = """
import argparse, types
args = argparse.Namespace(lr=0.1)
lr = 0.1
cfg = types.SimpleNamespace(grad_clip=1.0)
get_ema = get_sampler = get_dropout = lambda: False
set_ema = set_sampler = set_dropout = lambda value: None
save = evaluate = print_a_sample = lambda: "done"
train_step = lambda: 1.5
"""

TORCH = """
import torch
from torch_models import gpt, tokens
model = gpt()
optimizer = torch.optim.AdamW(model.parameters())
def train_step():
    optimizer.zero_grad()
    _, loss = model(tokens(), tokens())
    loss.backward()
    optimizer.step()
    return loss
"""


def blocks(path):
    found = re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
    return [block.replace("10_000", "20") for block in found]


def block_with(text, path=CLIENT / "README.md"):
    (found,) = [block for block in blocks(path) if text in block]
    return found


def test_the_three_lines_are_a_run_with_hands():
    exec(PRELUDE + block_with("# runs/gpt-TIME.jsonl"), {})
    seismo.current_run().finish()
    path = only_file()
    assert len(steps_of(path)) == 20
    assert lines_of(path)[0]["run"]["config"] == {"lr": 0.1}
    assert state_of(path)["state"] == "finished"


def test_all_forms_of_controls_are_declared(run):
    pytest.importorskip("torch")
    exec(PRELUDE + TORCH + block_with("run.controls("), {"run": run, "seismo": seismo})
    run.finish()
    declared = [line for line in lines_of(run.path) if "settings" in line][-1]
    names = {setting["name"] for setting in declared["settings"]}
    assert names == {"lr.multiplier", "grad_clip", "ema", "sampler", "dropout"}
    assert {"checkpoint", "evaluate", "sample"} <= set(declared["commands"])


def test_every_stand_in_can_be_imported():
    needs = {"huggingface": "transformers", "lightning": "lightning", "accelerate": "accelerate"}
    lines = [line for line in block_with("import seismo.wandb as wandb").splitlines() if line]
    assert len(lines) == 6
    for line in lines:
        module = needs.get(re.search(r"seismo\.(\w+)", line)[1])
        if module is None or _has(module):
            exec(line, {})


def _has(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def test_probes_and_mitigations_are_two_lines(run):
    pytest.importorskip("torch")
    scope = {"run": run, "seismo": seismo}
    exec(
        PRELUDE + TORCH + block_with("seismo.mitigations(") + "run.log({'loss': train_step()})",
        scope,
    )
    run.finish()
    assert "attention_logit_max" in steps_of(run.path)[0]["metrics"]
    assert any("qk_layernorm" in str(line) for line in lines_of(run.path) if "settings" in line)


@pytest.mark.skipif(not README.exists(), reason="the client stands alone")
def test_a_training_run_of_ones_own_as_the_programs_readme_has_it():
    pytest.importorskip("torch")
    text = block_with("seismo.init(", README)
    asked = text.replace("run.poll()", "run.request('set qk_layernorm on')\n    run.poll()")
    exec(PRELUDE + TORCH + asked, {})
    seismo.current_run().finish()
    path = only_file()
    assert len(steps_of(path)) == 20
    assert "grad_norm" in steps_of(path)[0]["metrics"]
    assert events_of(path, "set")[0]["name"] == "qk_layernorm"
