#!/usr/bin/env bash
# Draws the README's pictures anew from the recordings in sessions/. The sweep's is studies/run sizes'.
set -euo pipefail
cd "$(dirname "$0")/.."
seismo="${SEISMO:-.build/release/seismo}"

draw() {
  local name="$1" session="$2"
  shift 2
  "$seismo" replay "sessions/$session.seismo" "$@" --svg ".github/$name.svg"
}

draw rescue-120x40 rescue --size 120x40
draw rescue-pytorch rescue-pytorch --size 120x40
draw learning-rate rescue --pane learning-rate --at 2000 --size 100x30
draw gradients rescue --pane gradients --size 100x30
draw collapse-light collapse --size 120x40 --theme light
draw overlay-colorblind collapse --pane loss --overlay sessions/healthy.seismo --size 100x30 --theme colorblind

# Runs of other programs, which studies/gallery-runs.py makes.
draw wandb-gpt wandb-gpt --size 160x45
draw ppo ppo --size 120x40
draw printed printed --size 120x40
