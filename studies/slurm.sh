#!/usr/bin/env bash
# A sweep as a Slurm array: task K of N runs the K-th part of the cells, a core each, in a folder that
# all nodes see. A task that is ended before its time is up has written checkpoints and is queued again.
#
#   sbatch --array=1-16 studies/slurm.sh --config sweep.toml --folder sweeps/big
#   sbatch --array=1-168 studies/slurm.sh --cells --config sweep.toml --folder sweeps/big
#   seismo sweep sweeps/big                        looks on, or has the rest run here
#
# With --cells first each task is one cell, as `seismo sweep … --list` counts them. The program is the
# one named in SEISMO, or `seismo` on the path.
#SBATCH --job-name=seismo
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=4:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail

task="${SLURM_ARRAY_TASK_ID:?run it with sbatch --array=1-16}"
part=(--shard "$((task - SLURM_ARRAY_TASK_MIN + 1))/$SLURM_ARRAY_TASK_COUNT")
if [ "${1:-}" = --cells ]; then
  shift
  part=(--cell "$task")
fi

"${SEISMO:-seismo}" sweep "$@" "${part[@]}" --jobs "${SLURM_CPUS_PER_TASK:-1}" --headless &
trap 'kill -TERM $!' TERM
wait $!
code=$?
# The first wait ends with the signal, the second with the program.
if [ "$code" -gt 128 ]; then
  wait $!
  code=$?
fi
if [ "$code" = 143 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
