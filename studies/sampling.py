#!/usr/bin/env python3
"""Bytes a second that seismo and transformers write with the same checkpoint, in turn.

usage: sampling.py SEISMO CHECKPOINT [--tokens N] [--batch 1,8,32] [--threads N] [--rounds N] [--json]

Both draw at temperature 1 after the same prompt of 16 bytes, on as many cores, transformers with its
cache. What is counted is the writing alone: seismo tells it of itself, transformers' is timed around
`generate`. Rounds take turns, so that what else the machine does meets both; the median counts.
"""
import argparse, json, re, statistics, subprocess, time

parser = argparse.ArgumentParser()
parser.add_argument("seismo")
parser.add_argument("checkpoint")
parser.add_argument("--tokens", type=int, default=200)
parser.add_argument("--batch", default="1,8,32")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()

import torch
from transformers import AutoModelForCausalLM

torch.set_num_threads(options.threads)
PROMPT = "the words come to"[:16]
model = AutoModelForCausalLM.from_pretrained(options.checkpoint, dtype=torch.float32).eval()


def transformers(batch):
    ids = torch.tensor([list(PROMPT.encode())] * batch)
    start = time.perf_counter()
    with torch.no_grad():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, top_p=1.0,
                             max_new_tokens=options.tokens, min_new_tokens=options.tokens, pad_token_id=0)
    assert out.shape == (batch, len(PROMPT) + options.tokens)
    return batch * options.tokens / (time.perf_counter() - start)


def seismo(batch):
    words = [options.seismo, "sample", options.checkpoint, "--prompt", PROMPT, "--tokens", str(options.tokens),
             "--n", str(batch), "--workers", str(options.threads), "--json"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert len(run.stdout.splitlines()) == batch
    count, seconds = re.search(r"(\d+) bytes in ([\d.]+) s", run.stderr).groups()
    return int(count) / float(seconds)


rows = []
for batch in map(int, options.batch.split(",")):
    for each in (seismo, transformers):
        each(batch)
    taken = [(seismo(batch), transformers(batch)) for _ in range(options.rounds)]
    ours, theirs = (statistics.median(values) for values in zip(*taken))
    rows.append({"batch": batch, "seismo": ours, "transformers": theirs, "ratio": ours / theirs})
if options.json:
    print(json.dumps(rows))
else:
    for row in rows:
        print("batch {batch}: seismo {seismo:.0f} bytes/s, transformers {transformers:.0f}, "
              "{ratio:.1f} times as many".format(**row))
