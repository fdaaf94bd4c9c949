#!/bin/sh
# What each mitigation does to a small run on the built-in language at a rate that is too high.
#
#   studies/mitigations.sh [STEPS] [RATE]
#
# Trains tiny once for each line of the table, in a folder that is removed at the end, and prints
# what the last tenth of the steps comes to. Equations and claims: see the catalogue of settings.
set -eu
seismo=${SEISMO:-.build/release/seismo}
steps=${1:-600}
rate=${2:-4e-2}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

printf '%-34s %8s %10s %8s %8s %8s\n' run loss logits 'log Z' clipped cosine

line() {
  name=$1
  shift
  file="$folder/run.jsonl"
  "$seismo" train --preset tiny --headless --json --steps "$steps" --lr "$rate" --eval-every 0 \
    --session "$folder/$(echo "$name" | tr -c 'a-z0-9\n' '-').seismo" "$@" >"$file" || true
  if grep -q '"event":"diverged"' "$file"; then name="$name (diverged)"; fi
  python3 - "$file" "$name" <<'PYTHON'
import json, sys

rows = [json.loads(line) for line in open(sys.argv[1]) if '"metrics"' in line]
rows = [row["metrics"] for row in rows][-max(1, len(rows) // 10):]

def mean(name):
    values = [row[name] for row in rows if name in row]
    return sum(values) / len(values) if values else float("nan")

if not rows:
    print("%-34s no steps" % sys.argv[2])
    sys.exit()
largest = max(row["attention_logit_max"] for row in rows)
print("%-34s %8.4f %10.1f %8.2f %8.2f %8.2f" % (
    sys.argv[2], mean("loss"), largest, mean("log_z"), mean("clip_fraction"),
    mean("update_cosine")))
PYTHON
}

line plain
line 'qk-layernorm' --qk-layernorm
line 'z-loss 1e-4' --z-loss 1e-4
line 'logit-softcap 50' --logit-softcap 50
line 'output-softcap 30' --output-softcap 30
line 'qk-clip 30' --qk-clip 30
line 'sigma-reparam' --sigma-reparam
line 'clip zclip' --clip zclip
line 'clip adagc' --clip adagc
line 'no clipping' --grad-clip 0
line 'no clipping, beta2 0.999' --grad-clip 0 --adam-beta2 0.999
line 'stable-adamw, beta2 0.999' --optimizer stable-adamw --adam-beta2 0.999
line 'adam-eps 1e-4' --adam-eps 1e-4
line 'weight-decay 1e-2' --weight-decay 1e-2
line 'coupled decay 0.1' --decay coupled
line 'warmup 300' --warmup 300
line 'mu-param' --mu-param
line 'muon' --optimizer muon
line 'muon, qk-layernorm' --optimizer muon --qk-layernorm
line 'sgd, lr 0.3' --optimizer sgd --lr 0.3
