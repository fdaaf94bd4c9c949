"""Writes the recorded fixtures beside this file with their own writers.

pip install torch tensorboard tensorboardX wandb lightning transformers accelerate keras jax
stable-baselines3; then: python make.py [WHAT…]
Each run has the same numbers, so that one expectation serves all formats; those under whole/ are what
a program that uses its writer in full leaves.
"""

import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import numpy

here = os.path.dirname(os.path.abspath(__file__))
STEPS = 12


def loss(step):
    return math.nan if step == 7 else 4.0 / (1 + step)


def fresh(name):
    folder = os.path.join(here, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def torch_events():
    from torch.utils.tensorboard import SummaryWriter

    folder = fresh("torch-events")
    with SummaryWriter(folder) as writer:
        for step in range(STEPS):
            writer.add_scalar("train/loss", loss(step), step, walltime=1.7e9 + step)
            writer.add_scalar("new", step / 8, step, walltime=1.7e9 + step, new_style=True)
            writer.add_scalar(
                "precise", step / 10, step, walltime=1.7e9 + step, new_style=True,
                double_precision=True)
        writer.add_text("remark", "all is well", 3, walltime=1.7e9 + 3)
        writer.add_histogram("weights", numpy.array([1.0, 2.0, 3.0]), 3, walltime=1.7e9 + 3)
    # A restart that purges: torch writes a session log with START.
    with SummaryWriter(folder, purge_step=8, filename_suffix=".z") as writer:
        for step in range(8, STEPS):
            writer.add_scalar("train/loss", 0.5, step, walltime=1.7e9 + 100 + step)


def tensorboardx_events():
    from tensorboardX import SummaryWriter

    folder = fresh("tensorboardx-events")
    with SummaryWriter(folder) as writer:
        for step in range(STEPS):
            writer.add_scalar("train/loss", loss(step), step, walltime=1.7e9 + step)


def tf2_events():
    """What TensorFlow 2's writer makes, by TensorBoard's own summary and record writer."""
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder = fresh("tf2-events")
    path = os.path.join(folder, "events.out.tfevents.1700000000.host.1.0.v2")
    with open(path, "wb") as file:
        records = RecordWriter(file)
        records.write(event_pb2.Event(
            wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())
        for step in range(STEPS):
            metadata = None
            if step == 0:
                metadata = summary_pb2.SummaryMetadata(data_class=1)
                metadata.plugin_data.plugin_name = "scalars"
            values = [
                summary_pb2.Summary.Value(
                    tag="train/loss", metadata=metadata, tensor=tensor_pb2.TensorProto(
                        dtype=1, tensor_shape=tensor_shape_pb2.TensorShapeProto(),
                        tensor_content=struct.pack("<f", loss(step)))),
                summary_pb2.Summary.Value(
                    tag="half", metadata=metadata,
                    tensor=tensor_pb2.TensorProto(dtype=19, half_val=[0x3C00])),
                summary_pb2.Summary.Value(
                    tag="brain", metadata=metadata,
                    tensor=tensor_pb2.TensorProto(dtype=14, half_val=[0x4040])),
                summary_pb2.Summary.Value(
                    tag="whole", metadata=metadata,
                    tensor=tensor_pb2.TensorProto(dtype=9, int64_val=[-step])),
            ]
            records.write(event_pb2.Event(
                wall_time=1.7e9 + step, step=step,
                summary=summary_pb2.Summary(value=values)).SerializeToString())


def wandb_folder(name):
    """An empty folder for what W&B writes without its server."""
    work = os.path.join(tempfile.gettempdir(), name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    os.environ["WANDB_SILENT"] = "true"
    os.environ["WANDB_DATA_DIR"] = work
    return work


def wandb_files(work):
    """The records in it, the oldest first; `latest-run` is a link to one of them."""
    return sorted(
        os.path.join(base, name) for base, _, names in os.walk(os.path.join(work, "wandb"))
        for name in names if name.endswith(".wandb") and not os.path.islink(base))


def wandb_offline():
    import wandb

    folder = fresh("wandb-offline")
    work = wandb_folder("seismo-wandb")
    run = wandb.init(
        mode="offline", dir=work, project="seismo", name="recorded", config={
            "lr": 0.01, "model": {"width": 64, "name": "tiny"}, "qk_norm": True},
        settings=wandb.Settings(
            x_disable_stats=True, x_disable_meta=True, console="off", disable_git=True,
            disable_code=True))
    for step in range(STEPS):
        run.log({"train/loss": loss(step), "deep": {"er": step / 8}}, step=step)
    run.finish()
    shutil.copy(wandb_files(work)[0], os.path.join(folder, "run-recorded.wandb"))


def lightning_csv():
    from lightning.fabric.loggers.csv_logs import CSVLogger

    folder = fresh("lightning")
    logger = CSVLogger(folder, name="lightning_logs", version=0)
    for step in range(STEPS):
        logger.log_metrics({"train_loss": loss(step), "epoch": step // 6}, step=step)
        if step % 6 == 5:
            logger.log_metrics({"val_loss": 2 * loss(step), "epoch": step // 6}, step=step)
    logger.save()
    with open(os.path.join(logger.log_dir, "hparams.yaml"), "w") as file:
        file.write("lr: 0.01\nname: tiny\nnested:\n  width: 64\n")


def trainer_state():
    from transformers.trainer_callback import TrainerState

    folder = fresh("trainer")
    os.makedirs(os.path.join(folder, "checkpoint-11"))
    state = TrainerState(global_step=11, max_steps=12, num_train_epochs=2, logging_steps=1)
    for step in range(STEPS):
        entry = {"loss": loss(step), "learning_rate": 0.01, "epoch": step / 6, "step": step}
        state.log_history.append(entry)
    state.log_history.append({"eval_loss": 1.25, "epoch": 2.0, "step": 11})
    state.save_to_json(os.path.join(folder, "checkpoint-11", "trainer_state.json"))


def json_lines():
    with open(os.path.join(fresh("json-lines"), "recorded.jsonl"), "w") as file:
        for step in range(STEPS):
            line = {"step": step, "time": 1.7e9 + step, "train": {"loss": loss(step)}}
            print(json.dumps(line), file=file)
        print("Epoch 1 done", file=file)


def torch_whole():
    """A run with several lines in a chart, and with hyper-parameters: torch makes folders for both."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(fresh("whole/torch")) as writer:
        for step in range(STEPS):
            writer.add_scalar("train/loss", 4.0 / (1 + step), step)
            writer.add_scalars("error/all", {"left": step / 4, "right": step / 8}, step)
        writer.add_hparams({"lr": 0.01, "name": "tiny", "warm": True}, {"hparam/best": 0.5})


def wandb_whole():
    """A run that logs all kinds of things, is killed by an exception, and is gone on with."""
    import wandb

    folder = fresh("whole/wandb")
    work = wandb_folder("seismo-wandb-whole")
    for part in range(2):
        run = wandb.init(
            mode="offline", dir=work, project="seismo", name="whole", id="wholerun", resume="allow",
            notes="a note on it", tags=["first", "small"], group="night", job_type="train",
            config={"lr": 0.01, "model": {"width": 64, "deep": {"er": "x"}}, "list": [1, 2]},
            settings=wandb.Settings(
                x_stats_sampling_interval=1, x_disable_meta=True, console="off",
                disable_git=True, disable_code=True, host="node7"))
        run.define_metric("val/*", step_metric="epoch")
        for step in range(part * 6, part * 6 + 6):
            row = {"train/loss": 4.0 / (1 + step), "deep": {"er": step / 8}, "epoch": step // 3}
            if step == 3:
                row["picture"] = wandb.Image(numpy.zeros((2, 2), dtype=numpy.uint8))
                row["histogram"] = wandb.Histogram([1, 2, 3])
                row["table"] = wandb.Table(columns=["a"], data=[[1]])
            if step % 3 == 2:
                row["val/acc"] = step / 16
            run.log(row, step=step)
            time.sleep(0.4)
        run.alert("careful", "it is hot")
        run.finish(exit_code=part * 3)
    found = wandb_files(work)
    for number, path in enumerate(found[-2:], 1):
        place = os.path.join(folder, f"run-2026010{number}_000000-wholerun")
        os.makedirs(place)
        shutil.copy(path, os.path.join(place, "run-wholerun.wandb"))


def wandb_axes():
    """What `define_metric` says: axes, what is hidden, what sums a metric up."""
    import wandb

    folder = fresh("whole/wandb-axes")
    work = wandb_folder("seismo-wandb-axes")
    run = wandb.init(
        mode="offline", dir=work, project="seismo", name="axes", id="axesrun",
        settings=wandb.Settings(
            x_disable_stats=True, x_disable_meta=True, console="off", disable_git=True,
            disable_code=True, host="node7"))
    run.define_metric("custom/step", hidden=True)
    run.define_metric("val/*", step_metric="epoch")
    run.define_metric("train/loss", step_metric="custom/step", summary="min,last")
    run.define_metric("train/lr", hidden=True)
    run.define_metric("reward", summary="max")
    run.define_metric("wall", step_metric="_runtime")
    run.define_metric("deep.er", step_metric="epoch")
    for step in range(STEPS):
        row = {
            "custom/step": step * 100, "train/loss": 4.0 / (1 + step), "train/lr": 0.01,
            "reward": step % 5, "wall": step, "deep": {"er": step}}
        if step % 3 == 2:
            row |= {"val/loss": 1.0 / (1 + step), "val/top1": step / 16, "epoch": step // 3}
        run.log(row)
    run.finish()
    shutil.copy(wandb_files(work)[0], os.path.join(folder, "run-axesrun.wandb"))


def lightning_whole():
    """Lightning's Trainer with both of its loggers."""
    import lightning
    import torch
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    class Small(lightning.LightningModule):
        def __init__(self, lr=0.5, width=2):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch, _):
            loss = self.layer(batch[0]).square().mean()
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self.layer(batch[0]).square().mean())

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    folder = fresh("whole/lightning")
    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), 2)
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", log_every_n_steps=2, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, logger=[
            CSVLogger(folder, name="csv", version=0, flush_logs_every_n_steps=1),
            TensorBoardLogger(folder, name="events", version=0)])
    trainer.fit(Small(), data, data)


def printed(name, *command):
    """What a program of ours that uses a library prints on a terminal's stead."""
    folder = os.path.join(here, "whole", "printed")
    os.makedirs(folder, exist_ok=True)
    result = subprocess.run(
        [sys.executable, "-u", "-c", command[0]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd="/tmp", check=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(result.stdout)


def transformers_printed():
    printed("transformers.log", """
import torch, transformers
class Data(torch.utils.data.Dataset):
    def __len__(self): return 16
    def __getitem__(self, index): return {"x": torch.ones(2) * index / 16, "labels": torch.ones(1)}
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.layer = torch.nn.Linear(2, 1)
    def forward(self, x, labels):
        out = self.layer(x); return {"loss": (out - labels).square().mean(), "logits": out}
transformers.set_seed(0)
arguments = transformers.TrainingArguments(
    output_dir="/tmp/seismo-transformers", num_train_epochs=2, per_device_train_batch_size=4,
    logging_steps=2, eval_strategy="epoch", save_strategy="no", report_to="none", use_cpu=True)
transformers.Trainer(Model(), arguments, train_dataset=Data(), eval_dataset=Data()).train()
""")


def keras_printed():
    os.environ["KERAS_BACKEND"] = "jax"
    os.makedirs(os.path.join(here, "whole", "printed"), exist_ok=True)
    path = os.path.join(here, "whole", "printed", "keras.csv")
    printed("keras.log", f"""
import keras, numpy
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
x = numpy.ones((16, 2)); y = numpy.zeros((16, 1))
model.fit(x, y, epochs=3, batch_size=4, validation_data=(x, y),
          callbacks=[keras.callbacks.CSVLogger({path!r})])
""")


def stable_baselines_printed():
    folder = os.path.join(here, "whole", "printed")
    printed("stable-baselines3.log", f"""
from stable_baselines3.common.logger import configure
logger = configure({folder!r}, ["stdout"])
for step in range(1, 4):
    logger.record("rollout/ep_rew_mean", 20.5 * step)
    logger.record("rollout/ep_len_mean", 20.5 * step)
    logger.record("time/fps", 1000 + step)
    logger.record("time/total_timesteps", 2048 * step, exclude="tensorboard")
    if step > 1:
        logger.record("train/learning_rate", 0.0003)
        logger.record("train/loss", 8.0 / step)
        logger.record("train/explained_variance", -0.00129)
    logger.dump(step=2048 * step)
""")


ALL = [torch_events, tensorboardx_events, tf2_events, wandb_offline, lightning_csv, trainer_state,
       json_lines, torch_whole, wandb_whole, wandb_axes, lightning_whole, transformers_printed,
       keras_printed, stable_baselines_printed]

for make in ALL:
    if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
        make()
