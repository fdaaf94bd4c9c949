"""Writes the recorded fixtures beside this file with their own writers.

pip install torch tensorboard tensorboardX wandb lightning; then: python make.py
Each run has the same numbers, so that one expectation serves all formats.
"""

import json
import math
import os
import shutil
import struct
import sys

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


def wandb_offline():
    import wandb

    folder = fresh("wandb-offline")
    work = os.path.join("/tmp", "seismo-wandb")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    os.environ["WANDB_SILENT"] = "true"
    run = wandb.init(
        mode="offline", dir=work, project="seismo", name="recorded", config={
            "lr": 0.01, "model": {"width": 64, "name": "tiny"}, "qk_norm": True},
        settings=wandb.Settings(
            x_disable_stats=True, x_disable_meta=True, console="off", disable_git=True,
            disable_code=True))
    for step in range(STEPS):
        run.log({"train/loss": loss(step), "deep": {"er": step / 8}}, step=step)
    run.finish()
    for base, _, files in os.walk(work):
        for name in files:
            if name.endswith(".wandb"):
                shutil.copy(os.path.join(base, name), os.path.join(folder, "run-recorded.wandb"))


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


ALL = [torch_events, tensorboardx_events, tf2_events, wandb_offline, lightning_csv, trainer_state,
       json_lines]

for make in ALL:
    if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
        make()
