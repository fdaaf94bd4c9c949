#!/bin/sh
# Counts the alarms that healthy runs raise: false ones, all of them.
#
#   studies/alarms.sh [RUNS] [STEPS] [PRESET] [LR]
#
# Each run has a seed of its own and a learning rate at which nothing goes wrong. Prints a line a run
# and the sum; what was raised is listed, with its step. SEISMO names the program.
set -eu

runs=${1:-10}
steps=${2:-2000}
preset=${3:-tiny}
rate=${4:-3e-3}
seismo=${SEISMO:-.build/release/seismo}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

total=0
seed=1
while [ "$seed" -le "$runs" ]; do
  # A run that fails is no healthy run.
  $seismo train --preset "$preset" --lr "$rate" --steps "$steps" --seed "$seed" --workers 1 \
    --headless --json --session "$folder/$seed.seismo" >"$folder/$seed.json"
  # grep ends with 1 where nothing is found.
  grep '"event":"alarm"' "$folder/$seed.json" >"$folder/$seed.alarms" || true
  count=$(wc -l <"$folder/$seed.alarms")
  loss=$(grep '"event":"run"' "$folder/$seed.json" | tail -n 1 | sed 's/.*"text":"\([^"]*\)".*/\1/')
  echo "seed $seed: $count alarms; $loss"
  sed 's/.*"step":\([0-9]*\),.*"text":"\([^"]*\)".*/  step \1: \2/' "$folder/$seed.alarms"
  total=$((total + count))
  seed=$((seed + 1))
done
echo "$total alarms in $runs runs of $steps steps ($preset, lr $rate)"
