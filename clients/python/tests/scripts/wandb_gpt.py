"""In the manner of nanoGPT's train.py: globals as configuration, logged at each evaluation."""

import math
import time

out_dir = "out"
eval_interval = 5
log_interval = 1
wandb_log = True
wandb_project = "owt"
wandb_run_name = "gpt2" + str(int(time.time()))
max_iters = 40
learning_rate = 6e-4
warmup_iters = 10
lr_decay_iters = 40
min_lr = 6e-5
config_keys = [
    k for k, v in globals().items() if not k.startswith("_") and isinstance(v, (int, float, str))
]
config = {k: globals()[k] for k in config_keys}
master_process = True


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    return min_lr + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


def estimate_loss(it):
    return {"train": 3.0 * math.exp(-it / 20), "val": 3.1 * math.exp(-it / 20)}


if wandb_log and master_process:
    import wandb

    wandb.init(project=wandb_project, name=wandb_run_name, config=config)

iter_num = 0
running_mfu = -1.0
while True:
    lr = get_lr(iter_num)
    if iter_num % eval_interval == 0 and master_process:
        losses = estimate_loss(iter_num)
        print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
        if wandb_log:
            wandb.log(
                {
                    "iter": iter_num,
                    "train/loss": losses["train"],
                    "val/loss": losses["val"],
                    "lr": lr,
                    "mfu": running_mfu * 100,
                }
            )
    iter_num += 1
    if iter_num > max_iters:
        break
