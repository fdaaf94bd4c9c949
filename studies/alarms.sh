#!/bin/sh
# Raises every alarm rule by a short run, then counts those that healthy runs raise: false ones, all.
#
#   studies/alarms.sh [RUNS] [STEPS] [PRESET] [LR]
#
# The first part trains some hundred steps a rule, wrongly on purpose, and prints what was raised at
# which step, or 'NOT RAISED'; each is run again with the rule off, where it must be silent. In the
# second part each run has a seed of its own and a learning rate at which nothing goes wrong; RUNS 0
# leaves it out. Ends with 1 where a rule was not raised or was raised though off. SEISMO names the
# program.
set -eu

runs=${1:-10}
steps=${2:-2000}
preset=${3:-tiny}
rate=${4:-3e-3}
seismo=${SEISMO:-.build/release/seismo}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# What a person has settled for all runs is not to count here.
export XDG_CONFIG_HOME="$folder"
failed=0

# The alarms of a run: step, rule, text; a run may well diverge.
alarms() {
  name=$1
  shift
  $seismo train --workers 1 --headless --json --session "$folder/$name.seismo" "$@" \
    >"$folder/$name.json" 2>"$folder/$name.errors" || true
  rm -rf "$folder/$name.seismo" "$folder/$name.checkpoints"
  sed -n '/"event":"alarm"/s/.*"step":\([0-9]*\),.*"name":"\([^"]*\)".*"text":"\([^"]*\)".*/\1 \2 \3/p' \
    "$folder/$name.json"
}

# raise RULE OPTIONS…: the run of "$folder/RULE.toml", with the rule on and off.
raise() {
  rule=$1
  shift
  touch "$folder/$rule.toml"
  { cat "$folder/$rule.toml"; printf '\n[alarms]\n%s = "off"\n' "$rule"; } >"$folder/off.toml"
  on=$(alarms on --config "$folder/$rule.toml" "$@" | grep " $rule " || true)
  off=$(alarms off --config "$folder/off.toml" "$@" | grep -c " $rule " || true)
  if [ -z "$on" ]; then
    echo "$rule: NOT RAISED by: $*"
    tail -n 1 "$folder/on.errors"
    failed=1
  else
    echo "$on" | head -n 1 | sed "s/\([0-9]*\) $rule \(.*\)/$rule: step \1: \2/"
  fi
  if [ "$off" -ne 0 ]; then
    echo "$rule: raised $off times though off"
    failed=1
  fi
}

at() { printf '[[at]]\nstep = %s\ncommand = "%s"\n' "$1" "$2"; }
# Letters without any order: all that can be learnt of them is by heart.
awk 'BEGIN { x = 1; for (i = 0; i < 3000; i++) { x = x * 16807 % 2147483647
  printf "%c", 97 + x % 26 } }' >"$folder/letters"

at 150 "set lr.multiplier 50" >"$folder/loss-spike.toml"
raise loss-spike --preset tiny --steps 300
at 150 "set lr.multiplier 20" >"$folder/loss-above-best.toml"
raise loss-above-best --preset tiny --steps 400 --lr 3e-3
at 150 "set lr.multiplier 300" >"$folder/loss-diverged.toml"
raise loss-diverged --preset tiny --steps 300 --lr 3e-3
raise no-progress --preset tiny --steps 600 --lr 1e-9
raise attention-logits-high --preset tiny --steps 60 --lr 0.1 --warmup 20
raise attention-logits-diverging --preset tiny --steps 250 --lr 0.1 --warmup 20
raise not-finite --preset tiny --steps 20 --lr 1000 --grad-clip 0
raise gradient-near-epsilon --preset tiny --steps 120 --adam-eps 1e-3
raise held-out-loss-rising --preset tiny --steps 300 --data "$folder/letters" --eval-every 20 \
  --eval-fraction 0.2 --eval-windows 4
raise log-z-drift --preset tiny --steps 400 --data "$folder/letters" --eval-fraction 0.2
{
  at 160 "set lr.multiplier 20"
  at 180 "set lr.multiplier 1"
} >"$folder/dead-expert.toml"
cp "$folder/dead-expert.toml" "$folder/overloaded-expert.toml"
raise dead-expert --preset moe-tiny --steps 310 --moe-aux-loss 0 --qk-layernorm
raise overloaded-expert --preset moe-tiny --steps 310 --moe-aux-loss 0 --qk-layernorm

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
[ "$runs" -eq 0 ] || echo "$total alarms in $runs runs of $steps steps ($preset, lr $rate)"
exit "$failed"
