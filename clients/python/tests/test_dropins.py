"""Scripts written for other trackers run unchanged but for one import."""

import argparse
import os

import pytest
from conftest import events_of, lines_of, only_file, state_of, steps_of

import seismo
import seismo.trackio as trackio
import seismo.wandb as wandb
from seismo.tensorboard import SummaryWriter


def config_of(path):
    return [line["run"] for line in lines_of(path) if "run" in line][-1].get("config")


def test_a_wandb_script_runs(capsys):
    run = wandb.init(
        project="p",
        entity="team",
        name="first",
        config={"lr": 0.1},
        tags=["a"],
        group="g",
        job_type="train",
        notes="why",
        settings=wandb.Settings(start_method="thread"),
        save_code=True,
    )
    assert wandb.run is run
    wandb.config.update({"depth": 3}, allow_val_change=True)
    wandb.config.width = 64
    wandb.define_metric("val/*", step_metric="epoch")
    wandb.watch([], log="all")
    for step in range(3):
        wandb.log({"loss": 1.0 / (step + 1)}, commit=False)
        wandb.log({"acc": 0.5, "image": wandb.Image([1]), "h": wandb.Histogram([1, 2])})
    wandb.log({"table": wandb.Table(columns=["a"], data=[[1]])}, step=7)
    wandb.summary["best"] = 0.9
    wandb.run.summary.update({"last": 0.8})
    wandb.alert(title="low", text="below", level=wandb.AlertLevel.WARN)
    artifact = wandb.Artifact("model", type="model")
    artifact.add_file("x")
    wandb.log_artifact(artifact)
    wandb.save("*.pt")
    path = run.seismo.path
    wandb.finish()
    assert wandb.run is None
    assert config_of(path) == {"lr": 0.1, "depth": 3, "width": 64}
    described = [line["run"] for line in lines_of(path) if "run" in line][-1]
    assert (described["tags"], described["notes"]) == (["a", "train"], "why")
    assert described["axes"] == {"val/*": "epoch"}
    logged = [(line["step"], line["metrics"]) for line in steps_of(path)]
    assert logged[:2] == [(0, {"loss": 1.0}), (0, {"acc": 0.5})]
    assert logged[4] == (2, {"loss": 1.0 / 3})
    assert logged[-1] == (7, {})
    assert events_of(path, "alarm")[0]["text"] == "low: below"
    assert events_of(path, "note")[0]["text"] == "summary: best 0.9, last 0.8"
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if "'image' is Image, no number" in line]) == 1
    assert len([line for line in said if "wandb.save has no place here" in line]) == 1


def test_wandb_takes_what_argparse_returns_and_ends_with_its_block():
    with wandb.init(project="p", config=argparse.Namespace(lr=0.5)) as run:
        run.log({"loss": 1.0}, step=3)
        assert run.config.lr == run.config["lr"] == 0.5
        assert run.step == 3
    assert state_of(only_file())["state"] == "finished"


def test_wandb_says_how_a_block_failed():
    with pytest.raises(ValueError), wandb.init(project="p") as run:
        raise ValueError("broken")
    assert state_of(run.seismo.path)["reason"] == "ValueError: broken"
    wandb.init(project="q").finish(exit_code=3)


def test_wandb_disabled_is_off(tmp_path):
    run = wandb.init(project="p", mode="disabled")
    wandb.log({"loss": 1.0})
    run.finish()
    assert not (tmp_path / "runs").exists()


def test_a_wandb_run_can_be_paused_by_nobody_but_still_polls():
    run = wandb.init(project="p")
    run.seismo.request("note from outside")
    wandb.log({"loss": 1.0})
    path = run.seismo.path
    wandb.finish()
    assert events_of(path, "note")[0]["text"] == "from outside"


def test_using_it_before_init_is_one_clear_error():
    with pytest.raises(RuntimeError, match=r"wandb\.log: call wandb\.init first"):
        wandb.log({"loss": 1.0})
    with pytest.raises(AttributeError):
        wandb.Api()


def test_a_trackio_script_runs(capsys):
    trackio.init(project="p", name="n", config={"lr": 0.1}, space_id="a/b", embed=False)
    for step in range(3):
        trackio.log({"loss": float(step), "clip": trackio.Video("x.mp4")})
    trackio.log({"loss": 9.0}, step=10)
    trackio.log_system({"gpu": 0.5})
    trackio.log({"loss": 9.5})
    trackio.alert("high", text="above", level=trackio.AlertLevel.ERROR)
    trackio.show()
    trackio.finish()
    path = only_file()
    assert config_of(path) == {"lr": 0.1}
    assert [line["step"] for line in steps_of(path)] == [0, 1, 2, 10, 10]
    assert steps_of(path)[-1]["metrics"] == {"loss": 9.5, "system/gpu": 0.5}
    assert events_of(path, "alarm")[0]["level"] == "error"
    assert "trackio.show has no place here" in capsys.readouterr().err


def test_a_tensorboard_script_runs(capsys):
    writer = SummaryWriter("logs/exp1", comment="x", flush_secs=5)
    for step in range(3):
        writer.add_scalar("loss", 1.0 / (step + 1), step)
        writer.add_scalar("lr", 0.1, global_step=step)
        writer.add_scalars("acc", {"train": 0.5, "val": 0.25}, step)
        writer.add_histogram("weights", [1, 2, 3], step)
    writer.add_text("notes", "hello", 2)
    writer.add_hparams({"lr": 0.1}, {"hparam/accuracy": 0.5})
    writer.add_image("image", [[1]], 0)
    writer.flush()
    writer.close()
    path = only_file("logs/exp1")
    first = steps_of(path)[0]
    assert first["step"] == 0
    assert first["metrics"] == {"loss": 1.0, "lr": 0.1, "acc/train": 0.5, "acc/val": 0.25}
    assert [line["step"] for line in steps_of(path)] == [0, 1, 2]
    assert steps_of(path)[-1]["metrics"]["hparam/accuracy"] == 0.5
    assert config_of(path) == {"lr": 0.1}
    assert events_of(path, "note")[0]["text"] == "notes: hello"
    said = capsys.readouterr().err
    assert said.count("SummaryWriter.add_histogram has no place here: left out") == 1
    assert state_of(path)["state"] == "finished"


def test_a_second_writer_shares_the_run_under_its_folders_name():
    with SummaryWriter("logs/train") as train, SummaryWriter("logs/val") as val:
        train.add_scalar("loss", 1.0, 0)
        val.add_scalar("loss", 2.0, 0)
    path = only_file("logs/train")
    assert [line["metrics"] for line in steps_of(path)] == [{"val/loss": 2.0}, {"loss": 1.0}]
    assert not os.path.exists("logs/val")


def test_a_writer_logs_to_the_run_that_the_script_began(run):
    with SummaryWriter("logs/x") as writer:
        writer.add_scalar("loss", 1.0)
        writer.add_scalar("loss", 2.0)
    assert seismo.current_run() is run
    run.finish()
    assert [line["metrics"]["loss"] for line in steps_of(run.path)] == [1.0, 2.0]
    assert [line["step"] for line in steps_of(run.path)] == [0, 1]
