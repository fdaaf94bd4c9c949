#!/usr/bin/env bash
# Trains the same small mixture under every router and prints a table of how each of them balances,
# decides and learns. Means over the last fifth of the steps, all layers and all seeds.
#
#   studies/routers.sh [steps] [seed ...]
set -euo pipefail
cd "$(dirname "$0")/.."

steps="${1:-1000}"
shift || true
seeds=("${@:-0}")
seismo="${SEISMO:-.build/release/seismo}"
command -v "$seismo" >/dev/null || {
  echo "no $seismo: swift build -c release, or name the program in SEISMO" >&2
  exit 1
}
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# name, then options
rows=(
  "topk, no balancing|--router topk --moe-aux-loss 0"
  "topk, balance loss 0.01|--router topk --moe-aux-loss 0.01"
  "topk, bias 0.003|--router topk --moe-aux-loss 0 --moe-bias-balance 0.003"
  "switch, balance loss 0.01|--router switch --moe-aux-loss 0.01"
  "sigmoid, balance loss 0.01|--router sigmoid --moe-aux-loss 0.01"
  "sigmoid, bias 0.005|--router sigmoid --moe-aux-loss 0 --moe-bias-balance 0.005"
  "rmoe, balance loss 0.01|--router rmoe --moe-aux-loss 0.01"
  "random, balance loss 0.01|--router random --moe-aux-loss 0.01"
  "hash|--router hash"
  "thor, consistency 0|--router thor --moe-consistency 0"
  "thor, consistency 1|--router thor --moe-consistency 1"
)

summary='
BEGIN { FS = "," }
FNR == 1 { next }
$2 >= from {
  name = $4
  while (name ~ /\/[0-9]+$/) sub(/\/[0-9]+$/, "", name)
  sum[name] += $5
  count[name]++
}
function mean(name, format) {
  return count[name] ? sprintf(format, sum[name] / count[name]) : "-"
}
END {
  printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", title,
    mean("loss", "%.4f"), mean("loss/eval", "%.4f"),
    mean("expert_max_violation", "%.2f"), mean("expert_max_violation/eval", "%.2f"),
    mean("router_entropy", "%.2f"), mean("gate_inner_balance", "%.2f"),
    mean("gate_outer_balance", "%.2f"), mean("router_mutual_information", "%.2f"),
    mean("expert_similarity", "%.3f")
}'

echo "| router | loss | held-out | MaxVio, batch | MaxVio, held-out | entropy | inner | outer |" \
  "information | similarity |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for row in "${rows[@]}"; do
  title="${row%%|*}"
  files=()
  for seed in "${seeds[@]}"; do
    session="$work/run.seismo"
    rm -f "$session"
    # shellcheck disable=SC2086
    "$seismo" train --preset moe-tiny --steps "$steps" --lr 0.003 --qk-layernorm \
      --seed "$seed" --eval-every 50 --headless --session "$session" ${row#*|} >/dev/null
    "$seismo" export "$session" --format csv --long --output "$work/$seed.csv"
    files+=("$work/$seed.csv")
  done
  awk -v title="$title" -v from=$((steps * 4 / 5)) "$summary" "${files[@]}"
done
