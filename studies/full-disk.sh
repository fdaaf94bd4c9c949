#!/bin/bash
# Fills the disk under a training run, empties it again, and looks whether every step is recorded.
#
#   sudo studies/full-disk.sh [ROUNDS]        6 rounds if not given
#
# Needs root: the session and the checkpoints lie on a tmpfs of 64 MB, mounted in a temporary folder.
# The rounds: a run trains while a file fills the disk, three times for up to 2 seconds, at random
# moments. Each time the run must end well, every step must be in the session once, `PRAGMA
# integrity_check` must be ok, the run must have said that records wait and that they are written
# again, and its last checkpoint must be readable. Then
#   - a disk that is full when the run ends and freed a second later: all is there, checkpoint too;
#   - one that stays full: half a minute later exit code 1 and a line that counts the records that
#     are lost; what was written before is whole;
#   - a disk that is full from the start, and one mounted read-only: one line, nothing left behind;
#   - a folder that may not be written from some step on (an account of its own): the session's
#     steps are all there, checkpoints that failed are said, later ones are written.
# Prints a line a failure and a summary; exits 1 where anything failed.
#
# On two shared cores, beside builds, November 2026: 4 rounds, records waited in 4, 0 failures.
set -u
rounds=${1:-6}
binary=$(realpath "${SEISMO:-.build/release/seismo}")
[ "$(id -u)" = 0 ] || { echo "full-disk.sh mounts a small disk: run it as root" >&2; exit 64; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/seismo-full.XXXXXX")
disk=$folder/disk
trap 'cd /; umount "$disk" 2> /dev/null; rm -rf "$folder"' EXIT
chmod 711 "$folder"
mkdir "$disk"
cd "$folder" || exit 1

model=(--preset tiny --width 16 --layers 1 --heads 1 --context 16 --batch 2 --workers 1 --headless)
failures=0

fail() {
  failures=$((failures + 1))
  echo "$round: $1"
}

mount_fresh() {
  umount "$disk" 2> /dev/null
  mount -t tmpfs -o "size=64m${1:+,$1}" tmpfs "$disk" || exit 1
}

fill() { cat /dev/zero > "$disk/filler" 2> /dev/null; }

# Asks until "$@" succeeds, 20 s at most.
wait_until() {
  for _ in $(seq 2000); do
    "$@" && return 0
    sleep 0.01
  done
  return 1
}

# Every step from 0 to $1, once, in order.
expect_steps() {
  local verdict
  "$binary" export "$disk/run.seismo" --format csv > run.csv 2> run.err
  [ -s run.err ] && fail "$(head -1 run.err)"
  tail -n +2 run.csv | cut -d, -f1 | awk -v want="$1" \
    '$1 != NR - 1 { bad = 1 } END { exit bad || NR != want }' ||
    fail "$(($(wc -l < run.csv) - 1)) steps, not $1"
  cp "$disk"/run.seismo* "$folder/"
  verdict=$(sqlite3 run.seismo 'PRAGMA integrity_check' 2>&1)
  rm -f run.seismo*
  [ "$verdict" = ok ] || fail "integrity_check: $verdict"
}

waited=0
for round in $(seq "$rounds"); do
  mount_fresh
  "$binary" train "${model[@]}" --steps 80000 --checkpoint-every 4000 \
    --session "$disk/run.seismo" > run.log 2> run.errors &
  writer=$!
  wait_until grep -qs '^step 0/' run.log || fail "no step after 20 s"
  for _ in 1 2 3; do
    sleep "$(awk -v r=$RANDOM 'BEGIN { print r / 32768 }')"
    fill
    sleep "$(awk -v r=$RANDOM 'BEGIN { print 0.4 + r / 20480 }')"
    rm -f "$disk/filler"
  done
  wait "$writer"
  code=$?
  [ "$code" = 0 ] || fail "exit code $code: $(tail -1 run.errors)"
  expect_steps 80000
  grep -q 'the disk is full: .* wait in memory' run.log && waited=$((waited + 1))
  if grep -q 'wait in memory' run.log; then
    grep -q 'records are written again' run.log || fail "not said that records are written again"
  fi
  last=$(ls -d "$disk"/run.checkpoints/step-0* 2> /dev/null | tail -1)
  "$binary" eval "$last" --data "$binary" --json > /dev/null 2> run.err ||
    fail "last checkpoint ${last##*/}: $(head -1 run.err)"
  [ -z "$(ls "$disk"/run.checkpoints | grep -v '^step-0')" ] || fail "something beside checkpoints"
done

# Trains until the disk that was filled meanwhile is waited for; $writer is the process.
end_on_full_disk() {
  mount_fresh
  "$binary" train "${model[@]}" --steps 80000 --session "$disk/run.seismo" > run.log 2> run.errors &
  writer=$!
  wait_until grep -qs '^step 0/' run.log || fail "no step after 20 s"
  sleep 1
  fill
  while kill -0 "$writer" && [ ! -s run.errors ]; do sleep 0.05; done 2> /dev/null
  grep -q 'records that wait in memory: the disk is full' run.errors ||
    fail "not said that records wait: $(cat run.errors)"
}

round="freed after the end"
end_on_full_disk
sleep 1
rm "$disk/filler"
wait "$writer"
code=$?
[ "$code" = 0 ] || fail "exit code $code"
[ "$(wc -l < run.errors)" = 1 ] || fail "not one line: $(cat run.errors)"
echo "$round: $(cat run.errors)"
expect_steps 80000
[ -d "$disk/run.checkpoints/step-000080000" ] || fail "no last checkpoint"

round="full to the end"
end_on_full_disk
wait "$writer"
code=$?
[ "$code" = 1 ] || fail "exit code $code"
[ "$(wc -l < run.errors)" = 2 ] || fail "not two lines: $(cat run.errors)"
lost=$(tail -1 run.errors | sed -n 's/^seismo: \([0-9]*\) records are lost.*/\1/p')
[ "${lost:-0}" -gt 0 ] || fail "not said how many records are lost"
echo "$round: $(tail -1 run.errors)"
rm "$disk/filler"
"$binary" export "$disk/run.seismo" --format csv > run.csv 2> run.err
[ -s run.err ] && fail "$(head -1 run.err)"
tail -n +2 run.csv | cut -d, -f1 | awk '$1 != NR - 1 { exit 1 }' || fail "steps are missing"

round="full from the start"
mount_fresh
fill
"$binary" train "${model[@]}" --steps 100 --session "$disk/run.seismo" > run.log 2> run.errors
code=$?
[ "$code" = 1 ] || fail "exit code $code"
[ "$(wc -l < run.errors)" = 1 ] || fail "not one line: $(cat run.errors)"
[ "$(ls "$disk")" = filler ] || fail "left behind: $(ls "$disk")"
echo "$round: $(cat run.errors)"

round="read-only"
mount_fresh ro
"$binary" train "${model[@]}" --steps 100 --session "$disk/run.seismo" > run.log 2> run.errors
code=$?
[ "$code" = 1 ] || [ "$code" = 65 ] || fail "exit code $code"
[ "$(wc -l < run.errors)" = 1 ] || fail "not one line: $(cat run.errors)"
echo "$round: $(cat run.errors)"

round="folder taken away"
mount_fresh
chmod 777 "$disk"
setpriv --reuid 65534 --regid 65534 --clear-groups "$binary" train "${model[@]}" --steps 80000 \
  --checkpoint-every 2000 --session "$disk/run.seismo" > run.log 2> run.errors &
writer=$!
wait_until test -d "$disk/run.checkpoints/step-000004000" || fail "no checkpoint"
chmod 555 "$disk" "$disk/run.checkpoints"
sleep 1
chmod 777 "$disk" "$disk/run.checkpoints"
wait "$writer"
code=$?
[ "$code" = 0 ] || fail "exit code $code: $(tail -1 run.errors)"
expect_steps 80000
grep -q 'checkpoint could not be written' run.log || fail "not said that a checkpoint failed"
[ -d "$disk/run.checkpoints/step-000080000" ] || fail "no last checkpoint"

echo "$rounds rounds, records waited in $waited of them; $failures failures"
[ "$failures" -eq 0 ]
