"""Scripts as they are published for other trackers, run with one line of them changed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, events_of, lines_of, state_of, steps_of

SCRIPTS = Path(__file__).parent / "scripts"

STAND_INS = {
    "import wandb": "import seismo.wandb as wandb",
    "import trackio": "import seismo.trackio as trackio",
    "from torch.utils.tensorboard import SummaryWriter": "from seismo.tensorboard import SummaryWriter",  # noqa: E501
}


def changed(script):
    """The script with its tracker's import replaced, and nothing else."""
    lines = (SCRIPTS / script).read_text().splitlines(keepends=True)
    found = [index for index, line in enumerate(lines) if line.strip() in STAND_INS]
    assert len(found) == 1
    (index,) = found
    word = lines[index].strip()
    lines[index] = lines[index].replace(word, STAND_INS[word])
    return "".join(lines)


def ran(script, text, *needs):
    for module in needs:
        pytest.importorskip(module)
    Path(script).write_text(text)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "TRACKIO_DIR": "kept"},
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def files():
    return sorted(Path("runs").rglob("*.jsonl"))


def described(path):
    return [line["run"] for line in lines_of(path) if "run" in line][-1]


def column(path, name):
    return [
        (line["step"], line["metrics"][name]) for line in steps_of(path) if name in line["metrics"]
    ]


def test_wandbs_introduction_for_pytorch():
    said = ran("wandb_pytorch.py", changed("wandb_pytorch.py"), "torch")
    (path,) = files()
    losses = column(path, "loss")
    assert [step for step, _ in losses] == [16 * (n + 1) for n in range(24)]
    assert losses[-1][1] < losses[0][1] / 2
    assert column(path, "test_accuracy")[0][1] > 0.5
    assert described(path)["config"]["kernels"] == [16, 32]
    # The watched model: Seismo's probes in the place of histograms.
    assert column(path, "grad_norm")
    assert "'confusion' is Dropped, no number: left out" in said
    assert "wandb.save has no place here" in said
    assert state_of(path)["state"] == "finished"


def test_nanogpts_way_with_wandb():
    ran("wandb_gpt.py", changed("wandb_gpt.py"))
    (path,) = files()
    assert path.name.startswith("gpt2")
    assert [value for _, value in column(path, "iter")] == list(range(0, 41, 5))
    assert len(column(path, "val/loss")) == len(column(path, "lr")) == 9
    assert described(path)["config"]["learning_rate"] == 6e-4


def test_pytorchs_tutorial_with_a_summary_writer():
    said = ran("tensorboard_classifier.py", changed("tensorboard_classifier.py"), "torch")
    (path,) = files()
    assert path.parent.name.startswith("fashion_trainer_")
    assert [step for step, _ in column(path, "Loss/train")] == list(range(4, 49, 4))
    compared = column(path, "Training vs. Validation Loss/Validation")
    assert [step for step, _ in compared] == [1, 2, 3]
    assert all(isinstance(value, float) for _, value in compared)
    for kind in ("add_image", "add_graph", "add_pr_curve"):
        assert said.count(f"SummaryWriter.{kind} has no place here") == 1
    assert state_of(path)["state"] == "finished"


def test_cleanrls_way_with_a_summary_writer():
    ran("tensorboard_rl.py", changed("tensorboard_rl.py"))
    (path,) = files()
    assert [step for step, _ in column(path, "losses/value_loss")] == list(range(20, 201, 20))
    assert column(path, "charts/learning_rate")[0] == (20, 2.5e-4)
    returns = column(path, "charts/episodic_return")
    assert returns == [(step, 10 + step / 10) for step, _ in returns]
    assert "|seed|1|" in events_of(path, "note")[0]["text"]


def test_trackios_loop_of_runs():
    ran("trackio_loop.py", changed("trackio_loop.py"))
    first, second = files()
    for number, path in enumerate((first, second)):
        assert path.name.startswith(f"run-{number}-")
        assert described(path)["config"] == {"epochs": 8, "seed": number}
        assert [step for step, _ in column(path, "train_loss")] == list(range(8))
        assert column(path, "val/accuracy")[4] == (4, 0.5)
        assert state_of(path)["state"] == "finished"


def has(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_the_scripts_are_ones_that_run_with_their_own_trackers(script):
    tracker = "tensorboard" if script.startswith("tensorboard") else script.split("_")[0]
    if not has(tracker):
        pytest.skip(f"{tracker} is not installed")
    ran(script, (SCRIPTS / script).read_text(), "torch")
    assert files() == []


def test_whatever_wandb_has_in_its_modules_is_left_out_and_said(capsys):
    import seismo.wandb as wandb

    with wandb.init(project="p", id=wandb.util.generate_id(), config={"a": 1}) as run:
        assert len(run.name) == 8
        chart = wandb.plot.line(wandb.Table(columns=["x"], data=[[1]]), "x", "x")
        run.log({"loss": 1.0, "chart": chart})
        run.log_code(".")
        assert not isinstance(run, wandb.sdk.wandb_run.Run)
        assert wandb.config.as_dict() == {"a": 1}
    said = capsys.readouterr().err
    assert "wandb.plot.line has no place here: left out" in said
    assert json.loads(Path(run.seismo.path).read_text().splitlines()[0])["run"]["name"] == run.name
    assert [line["metrics"] for line in steps_of(run.seismo.path)] == [{"loss": 1.0}]
