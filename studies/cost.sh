#!/bin/bash
# How the cost of a training step grows: flops_fraction over context and width at fixed tokens.
#
#   studies/cost.sh
#
# Four blocks, heads of 64, 4,096 tokens a step; the median step against the sgemm peak measured in
# the same process. A figure that falls along a row or a column would be work that grows too fast.
set -euo pipefail
seismo=${SEISMO:-.build/release/seismo}

printf '%-8s' width
for context in 64 128 256 512 1024; do printf '%10s' "T=$context"; done
echo
for width in 64 128 256 512; do
  printf '%-8s' "$width"
  for context in 64 128 256 512 1024; do
    "$seismo" bench --preset small --layers 4 --width "$width" --heads $((width / 64)) \
      --context "$context" --batch $((4096 / context)) --json |
      sed -E 's/.*"matmul_gflops":([0-9.]+),"peak_gflops":([0-9.]+).*/\1 \2/' |
      awk '{printf "%10.2f", $1 / $2}'
  done
  echo
done
