"""The real Trainer, Lightning, Accelerate and JAX, small."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, events_of, lines_of, only_file, state_of, steps_of, wait_until
from test_binary import has_hands_for_files, said

import seismo

EXAMPLES = Path(__file__).parent.parent / "examples"


def described(path):
    return [line["run"] for line in lines_of(path) if "run" in line][-1]


def tiny_trainer(tmp_path, callback, **options):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(
        vocab_size=32, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0,
        eos_token_id=0,
    )  # fmt: skip
    rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (64, 8))]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "tuned"), max_steps=8, per_device_train_batch_size=4,
        logging_steps=1, save_steps=1000, report_to=[], disable_tqdm=True, use_cpu=True, **options
    )  # fmt: skip
    return transformers.Trainer(
        model=transformers.GPT2LMHeadModel(config), args=arguments, train_dataset=rows,
        eval_dataset=rows[:8], callbacks=[callback],
    )  # fmt: skip


def test_the_trainer_is_recorded_and_has_hands(tmp_path):
    pytest.importorskip("transformers")
    from seismo.huggingface import SeismoCallback

    run = seismo.init(name="hf")
    callback = SeismoCallback(run=run)
    trainer = tiny_trainer(tmp_path, callback)
    poll, asked = run.poll, {2: "set lr.multiplier 0.5", 3: "evaluate", 4: "checkpoint", 6: "stop"}

    def polled():
        if trainer.state.global_step in asked:
            run.request(asked[trainer.state.global_step])
        return poll()

    run.poll = polled
    trainer.train()
    run.finish()
    assert described(run.path)["total_steps"] == 8
    assert described(run.path)["config"]["model"]["n_embd"] == 16
    losses = [line["step"] for line in steps_of(run.path) if "loss" in line["metrics"]]
    assert losses == [1, 2, 3, 4, 5, 6]
    assert any("loss/eval" in line["metrics"] for line in steps_of(run.path))
    assert "lr" in steps_of(run.path)[0]["metrics"]
    assert (tmp_path / "tuned" / "checkpoint-4").is_dir()
    kinds = [event["event"] for event in events_of(run.path)]
    assert kinds.count("set") == kinds.count("evaluate") == kinds.count("stop") == 1
    saved = [event["step"] for event in events_of(run.path, "checkpoint") if "name" in event]
    assert 4 in saved


def test_the_trainer_begins_and_ends_a_run_of_its_own(tmp_path):
    pytest.importorskip("transformers")
    from seismo.huggingface import SeismoCallback

    tiny_trainer(tmp_path, SeismoCallback()).train()
    path = only_file()
    assert path.name.startswith("tuned-")
    assert state_of(path)["state"] == "finished"
    assert {"lr.multiplier"} <= {
        setting["name"] for line in lines_of(path) for setting in line.get("settings", [])
    }


def test_the_trainers_model_is_probed_and_takes_switches(tmp_path):
    pytest.importorskip("transformers")
    from seismo.huggingface import SeismoCallback

    run = seismo.init(name="hf")
    run.request("set qk_layernorm on")
    tiny_trainer(tmp_path, SeismoCallback(run=run, every=2, mitigations=True)).train()
    run.finish()
    probed = [line["step"] for line in steps_of(run.path) if "grad_norm/0" in line["metrics"]]
    # The Trainer counts from 1: its first step is that of step 0, which is due.
    assert probed == [1, 2, 4, 6, 8]
    metrics = steps_of(run.path)[1]["metrics"]
    assert {"attention_logit_max/0", "update_ratio", "log_z"} <= set(metrics)
    assert events_of(run.path, "set")[0]["name"] == "qk_layernorm"


def test_lightning_is_recorded_and_has_hands(tmp_path):
    torch = pytest.importorskip("torch")
    lightning = pytest.importorskip("lightning.pytorch")
    from seismo.lightning import SeismoCallback, SeismoLogger

    class Module(lightning.LightningModule):
        def __init__(self, width):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch, _):
            loss = self.layer(batch[0]).pow(2).mean()
            self.log("train_loss", loss)
            if self.global_step in (2, 4):
                words = {2: "set lr.multiplier 0.5", 4: "checkpoint"}[self.global_step]
                self.logger.experiment.request(words)
            if self.global_step == 6:
                self.logger.experiment.request("stop")
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.ones(80, 4)), batch_size=4
    )
    trainer = lightning.Trainer(
        logger=SeismoLogger("light"), callbacks=[SeismoCallback()], max_epochs=2,
        log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, default_root_dir=str(tmp_path),
    )  # fmt: skip
    trainer.fit(Module(4), data)
    path = only_file()
    assert described(path)["config"] == {"width": 4}
    assert described(path)["total_steps"] == 40
    assert sum("loss" in line["metrics"] for line in steps_of(path)) == 7
    assert any("train_loss" in line["metrics"] for line in steps_of(path))
    assert [event["event"] for event in events_of(path)] == ["set", "checkpoint", "stop"]
    assert (tmp_path / "step-000000005.ckpt").exists()
    assert state_of(path)["state"] == "finished"


def test_accelerate_tracks():
    accelerate = pytest.importorskip("accelerate")
    from seismo.accelerate import SeismoTracker

    accelerator = accelerate.Accelerator(cpu=True, log_with=SeismoTracker("acc"))
    accelerator.init_trackers("acc", config={"lr": 0.1})
    accelerator.log({"loss": 1.0}, step=3)
    assert accelerator.get_tracker("seismo").run is not None
    accelerator.end_training()
    path = only_file()
    assert described(path)["config"] == {"lr": 0.1}
    assert (steps_of(path)[0]["step"], steps_of(path)[0]["metrics"]) == (3, {"loss": 1.0})
    assert state_of(path)["state"] == "finished"


def example(name, *words, launcher=(), needs=()):
    for module in needs:
        pytest.importorskip(module)
    done = subprocess.run(
        [sys.executable, *launcher, str(EXAMPLES / name), *words],
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_jax_example():
    example("jax_loop.py", needs=["jax"])
    path = only_file()
    losses = [line["metrics"]["loss"] for line in steps_of(path)]
    assert losses[-1] < losses[0] / 2
    assert {"grad_norm/in", "update_ratio/out"} <= set(steps_of(path)[0]["metrics"])
    assert events_of(path, "set")[0]["name"] == "lr.multiplier"
    assert state_of(path)["state"] == "finished"


def logits_of(path):
    return {
        line["step"]: line["metrics"]["attention_logit_max"]
        for line in steps_of(path)
        if "attention_logit_max" in line["metrics"]
    }


def test_the_rescue_example():
    """The logits have passed 1e3 when the switch is thrown; a blend later they are small."""
    example("rescue.py", needs=["torch"])
    path = only_file()
    switched = events_of(path, "set")[0]["step"]
    logits = logits_of(path)
    before = max(value for step, value in logits.items() if step < switched)
    assert before > 1000
    assert logits[max(logits)] < before / 100
    losses = [line["metrics"]["loss"] for line in steps_of(path)]
    assert sum(losses[-50:]) < sum(losses[switched - 50 : switched]) - 50 * 0.05


@pytest.mark.skipif(not has_hands_for_files(), reason="needs a seismo with hands for .jsonl files")
def test_the_rescue_example_is_rescued_from_outside():
    pytest.importorskip("torch")
    training = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "rescue.py"), "--by-hand", "--steps", "100000"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        wait_until(lambda: list(Path("runs").glob("*.jsonl")), "the file")
        path = only_file()
        wait_until(
            lambda: max(whole_logits(path).values(), default=0) > 1000, "large logits", 5 * PATIENCE
        )
        assert "set qk_layernorm off → on" in said("control", path, "set", "qk_layernorm", "on")
        wait_until(lambda: list(whole_logits(path).values())[-1] < 20, "small logits", 5 * PATIENCE)
        said("control", path, "stop")
        assert training.wait(PATIENCE) == 0
    finally:
        training.kill()
        training.wait()
    (switch,) = events_of(path, "set")
    assert (switch["by"], switch["name"]) == ("control", "qk_layernorm")
    assert state_of(path) == {**state_of(path), "state": "stopped", "reason": "asked to stop"}


def whole_logits(path):
    """Of the lines that are whole, while the run goes on."""
    text = Path(path).read_text()
    kept = Path(path).with_suffix(".whole")
    kept.write_text(text[: text.rfind("\n") + 1])
    return logits_of(kept)


def test_the_two_ranks_example_changes_the_rate_at_the_same_step():
    out = example(
        "two_ranks.py",
        launcher=["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"],
        needs=["torch"],
    )
    ranks = re.findall(r"rank (\d): the rate was halved at step 11, weights ([0-9a-f]{8})", out)
    assert {rank for rank, _ in ranks} == {"0", "1"}
    assert len({weights for _, weights in ranks}) == 1
    path = only_file()
    assert described(path)["ranks"] == 2
    assert events_of(path, "set")[0]["step"] == 11
    assert len(steps_of(path)) == 20


def test_two_ranks_take_a_switch_at_the_same_step():
    pytest.importorskip("torch")
    script = Path(__file__).parent / "ranks_switch.py"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [sys.executable, *launcher, str(script)],
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    path = only_file()
    (switched, *_) = [event["step"] for event in events_of(path, "set")]
    ranks = re.findall(rf"rank (\d): on at {switched}, weights ([0-9a-f]{{8}})", done.stdout)
    assert {rank for rank, _ in ranks} == {"0", "1"}
    assert len({weights for _, weights in ranks}) == 1
    assert set(logits_of(path)) == {0, 5, 10, 15}


def test_the_hugging_face_example():
    example("huggingface_finetune.py", needs=["torch", "transformers"])
    path = only_file()
    assert state_of(path)["state"] == "finished"
    assert any("loss/eval" in line["metrics"] for line in steps_of(path))
    assert len(logits_of(path)) == 7


def test_the_lightning_example():
    example("lightning_loop.py", needs=["torch", "lightning"])
    assert state_of(only_file())["state"] == "finished"
