"""Writes one run of each kind with its real writer, a step at a time, for foreign.sh to watch.

Prints `begin KIND PATH` once there is something to watch, `value KIND STEP LOSS` as each step is
written, `end KIND`; `skip KIND WHY` where a writer is not installed.
"""

import csv
import json
import os
import sys
import time

STEPS = 10
PAUSE = float(os.environ.get("PAUSE", "0.5"))
# W&B's writer hands what it has to its file every fifteen seconds.
TAIL = {"wandb": 17}
LEAD = float(os.environ.get("LEAD", "3"))


def loss(kind, step):
    """Five digits that no other step or kind has."""
    return round(1 + (7919 * (step + 1) + 1009 * KINDS.index(kind)) % 80000 / 10000 + 0.00005, 4)


def say(*words):
    print(*words, flush=True)


def torch_events(folder):
    from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter(folder)
    return folder, lambda step, value: (
        writer.add_scalar("train/loss", value, step), writer.flush()), writer.close


def tensorboardx_events(folder):
    from tensorboardX import SummaryWriter
    writer = SummaryWriter(folder)
    return folder, lambda step, value: (
        writer.add_scalar("train/loss", value, step), writer.flush()), writer.close


def tf2_events(folder):
    from tensorboard.summary import Writer
    writer = Writer(folder)
    return folder, lambda step, value: (
        writer.add_scalar("train/loss", value, step), writer.flush()), writer.close


def wandb_offline(folder):
    import wandb
    os.environ["WANDB_SILENT"] = "true"
    run = wandb.init(mode="offline", dir=folder, project="study", settings=wandb.Settings(
        console="off", disable_git=True, disable_code=True))
    return os.path.join(folder, "wandb"), lambda step, value: run.log(
        {"train/loss": value}, step=step, commit=True), run.finish


def lightning_csv(folder):
    from lightning.fabric.loggers.csv_logs import CSVLogger
    logger = CSVLogger(folder, name="logs", version=0, flush_logs_every_n_steps=1)
    return folder, lambda step, value: (
        logger.log_metrics({"train_loss": value}, step=step), logger.save()), lambda: None


def trainer_state(folder):
    from transformers.trainer_callback import TrainerState
    state = TrainerState(max_steps=STEPS)
    path = os.path.join(folder, "trainer_state.json")

    def write(step, value):
        state.global_step = step
        state.log_history.append({"loss": value, "step": step, "epoch": step / STEPS})
        state.save_to_json(path)
    return path, write, lambda: None


def keras_csv(folder):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    path = os.path.join(folder, "training.csv")
    logger = keras.callbacks.CSVLogger(path)
    logger.set_model(keras.Model())
    logger.on_train_begin()
    return path, lambda step, value: logger.on_epoch_end(step, {"loss": value}), (
        lambda: logger.on_train_end())


def stable_baselines(folder):
    path = os.path.join(folder, "train.log")
    file = open(path, "w")
    try:
        from stable_baselines3.common.logger import HumanOutputFormat, Logger
        logger = Logger(folder, [HumanOutputFormat(file)])

        def write(step, value):
            logger.record("time/total_timesteps", 2048 * step)
            logger.record("train/loss", value)
            logger.dump(step)
            file.flush()
    except ImportError:
        def write(step, value):
            bar = "-" * 36
            print(bar, "| time/              |            |",
                  f"|    total_timesteps | {2048 * step:<10} |", "| train/             |            |",
                  f"|    loss            | {value:<10} |", bar, sep="\n", file=file, flush=True)
    return path, write, file.close


def printed(form):
    def make(folder):
        path = os.path.join(folder, "train.log")
        file = open(path, "w")
        print("compiling the model...", file=file, flush=True)
        return path, lambda step, value: print(form(step, value), file=file, flush=True), file.close
    return make


def json_lines(folder):
    path = os.path.join(folder, "run.jsonl")
    file = open(path, "w")
    return path, lambda step, value: print(
        json.dumps({"step": step, "loss": value}), file=file, flush=True), file.close


def plain_csv(folder):
    path = os.path.join(folder, "run.csv")
    file = open(path, "w", newline="")
    rows = csv.writer(file)
    rows.writerow(["step", "loss"])
    return path, lambda step, value: (rows.writerow([step, value]), file.flush()), file.close


WRITERS = {
    "torch": torch_events, "tensorboardX": tensorboardx_events, "tf2": tf2_events,
    "wandb": wandb_offline, "lightning-csv": lightning_csv, "trainer-state": trainer_state,
    "keras-csv": keras_csv, "sb3": stable_baselines, "json-lines": json_lines, "csv": plain_csv,
    "nanogpt": printed(lambda step, value: f"iter {step}: loss {value:.4f}, time 12.50ms, mfu 1.20%"),
    "hf-print": printed(lambda step, value: str(
        {"loss": value, "grad_norm": 1.5, "learning_rate": 1e-4, "step": step})),
    "megatron": printed(lambda step, value: (
        f" iteration {step:8d}/      10 | consumed samples: {256 * step:12d} | elapsed time per "
        f"iteration (ms): 12.5 | learning rate: 1.500000E-04 | lm loss: {value:.6E} |")),
}
KINDS = list(WRITERS)


def main():
    root = sys.argv[1]
    for kind in sys.argv[2:] or KINDS:
        folder = os.path.join(root, kind)
        os.makedirs(folder)
        try:
            path, write, close = WRITERS[kind](folder)
        except ImportError as error:
            say("skip", kind, error.name)
            continue
        for step in range(STEPS):
            value = loss(kind, step)
            write(step, value)
            # Its tables have three digits.
            say("value", kind, step, f"{value:.2f}" if kind == "sb3" else f"{value:.4f}")
            if step == 0:
                say("begin", kind, path)
                time.sleep(LEAD)
            else:
                time.sleep(PAUSE)
        time.sleep(TAIL.get(kind, 2))
        close()
        time.sleep(2)
        say("end", kind)


main()
