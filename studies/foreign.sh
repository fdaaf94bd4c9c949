#!/usr/bin/env bash
# One run of each kind, written by its real writer and watched in a terminal while it is written: what
# was seen against what was written. Needs tmux, and a python with the writers; those that are not
# installed are told and left out.
#
#     studies/foreign.sh [KIND…]        SEISMO=.build/release/seismo PYTHON=python3
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seismo=$(realpath "${SEISMO:-$here/../.build/release/seismo}")
python=${PYTHON:-python3}
work=$(mktemp -d)
socket=foreign-$$
trap 'tmux -L $socket kill-server 2>/dev/null || true; rm -rf "$work"' EXIT

# Screens pile up in a file until the kind is done.
look() {
  while [ -e "$work/watching" ]; do
    tmux -L $socket capture-pane -p -t watch 2>/dev/null >>"$work/screens" || true
    sleep 0.1
  done
}

printf '%-14s %8s %6s  %s\n' kind written seen 'last step and loss, and how the run stands on the screen'
cd "$work"
mkdir written
"$python" "$here/foreign.py" "$work/written" "$@" 2>"$work/errors" | while read -r word kind rest; do
  case $word in
  skip) printf '%-14s not installed: %s\n' "$kind" "$rest" ;;
  value) printf '%s\n' "$rest" >>"$work/values-$kind" ;;
  begin)
    : >"$work/screens"
    touch "$work/watching"
    tmux -L $socket -f /dev/null new-session -d -s watch -x 120 -y 36 "'$seismo' watch '$rest'"
    look &
    ;;
  end)
    rm "$work/watching"
    wait
    tmux -L $socket capture-pane -p -t watch >"$work/last-$kind" 2>/dev/null || true
    tmux -L $socket kill-session -t watch 2>/dev/null || true
    seen=0
    while read -r _ value; do
      if grep -qF -- "$value" "$work/screens"; then seen=$((seen + 1)); fi
    done <"$work/values-$kind"
    read -r step value < <(tail -n 1 "$work/values-$kind")
    verdict="not on the last screen"
    if grep -qF -- "$value" "$work/last-$kind"; then verdict="on the last screen"; fi
    state=$(head -n 1 "$work/last-$kind" | grep -oE '(running|finished|stopped|failed|killed)' || echo -)
    printf '%-14s %8s %6s  step %s, loss %s: %s; %s\n' "$kind" "$(wc -l <"$work/values-$kind")" \
      "$seen" "$step" "$value" "$verdict" "$state"
    if [ "${KEEP:-}" ]; then cp "$work/last-$kind" "$KEEP/$kind.txt"; fi
    ;;
  esac
done
if [ -s "$work/errors" ]; then grep -E '^[A-Za-z]*(Error|Exception)' "$work/errors" | tail -n 3 >&2 || true; fi
