"""In the manner of CleanRL: one file, hyper-parameters as a table, charts by global step."""

import argparse
import random
import time

from torch.utils.tensorboard import SummaryWriter

parser = argparse.ArgumentParser()
parser.add_argument("--env-id", default="CartPole-v1")
parser.add_argument("--total-timesteps", type=int, default=200)
parser.add_argument("--num-steps", type=int, default=20)
parser.add_argument("--learning-rate", type=float, default=2.5e-4)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()

run_name = f"{args.env_id}__ppo__{args.seed}__{int(time.time())}"
writer = SummaryWriter(f"runs/{run_name}")
rows = "\n".join(f"|{key}|{value}|" for key, value in vars(args).items())
writer.add_text("hyperparameters", f"|param|value|\n|-|-|\n{rows}")

random.seed(args.seed)
start_time = time.time()
global_step = 0
num_updates = args.total_timesteps // args.num_steps
for update in range(1, num_updates + 1):
    frac = 1.0 - (update - 1.0) / num_updates
    for _ in range(args.num_steps):
        global_step += 1
        if random.random() < 0.1:
            writer.add_scalar("charts/episodic_return", 10 + global_step / 10, global_step)
            writer.add_scalar("charts/episodic_length", 10 + global_step // 10, global_step)
    writer.add_scalar("charts/learning_rate", frac * args.learning_rate, global_step)
    writer.add_scalar("losses/value_loss", 1.0 / update, global_step)
    writer.add_scalar("losses/policy_loss", -0.1 / update, global_step)
    sps = int(global_step / (time.time() - start_time + 1e-9))
    writer.add_scalar("charts/SPS", sps, global_step)
writer.close()
