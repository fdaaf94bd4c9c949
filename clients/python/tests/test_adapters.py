"""Adapters that the program writes, in the real PEFT."""

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


def test_peft_computes_what_the_merged_weights_do_and_writes_the_adapter_again():
    quick = ["--headless", "--workers", 1, "--eval-every", 0]
    said("train", "--preset", "tiny", "--steps", 20, *quick, "--session", "a.seismo")
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
