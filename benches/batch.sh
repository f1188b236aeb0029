#!/usr/bin/env bash
# Measures `wrun batch` against a shell loop with a process for each call, and against a loop in Python with the package wasmtime. The
# programs run in turns. Prints medians per call, and the ratios.
#
#   benches/batch.sh [WRUN]   # target/release/wrun by default
#
# PYTHON names a python3 that has the package (fixtures/scale_out.sh prints a folder with one); without the package, its rows are left
# out. RUNS is the number of turns. Fails if a bound is missed.
set -euo pipefail
cd "$(dirname "$0")/.."

wrun=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/release/wrun}")
python=${PYTHON:-python3}
runs=${RUNS:-5}
calls_of_shell=200
calls=${CALLS:-500000}
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export WRUN_CACHE_DIR=$folder/cache

seq "$calls" | sed 's/.*/[&, 1]/' >"$folder/calls"
seq 2 $((calls + 1)) >"$folder/expected"

shell_loop() { for ((n = 1; n <= calls_of_shell; n++)); do "$wrun" fixtures/add.wasm add "$n" 1; done; }
python_loop() { "$python" benches/batch.py <"$folder/calls"; }
one_worker() { "$wrun" batch --jobs 1 fixtures/add.wasm add <"$folder/calls"; }
all_workers() { "$wrun" batch fixtures/add.wasm add <"$folder/calls"; }

measure() { # NAME CALLS: runs it once, checks its results and adds the nanoseconds per call to a file
  local start end
  start=$(date +%s%N)
  "$1" >"$folder/results"
  end=$(date +%s%N)
  head -n "$2" "$folder/expected" | cmp - "$folder/results"
  echo $(((end - start) / $2)) >>"$folder/$1"
}

median() { sort -n "$folder/$1" | sed -n "$(((runs + 1) / 2))p"; }

loops=(shell_loop)
if "$python" -c 'import wasmtime' 2>/dev/null; then
  loops+=(python_loop)
else
  echo "skipped: $python has no package wasmtime" >&2
fi
for ((run = 0; run < runs; run++)); do
  for name in one_worker all_workers "${loops[@]}"; do
    if [[ $name == shell_loop ]]; then measure "$name" "$calls_of_shell"; else measure "$name" "$calls"; fi
  done
done

missed=0
declare -A bounds=([shell_loop]=20 [python_loop]=1)
printf '| loop | its ns per call | batch, 1 worker | ratio | batch, all workers | ratio | bound |\n| --- | --- | --- | --- | --- | --- | --- |\n'
for name in "${loops[@]}"; do
  loop=$(median "$name") one=$(median one_worker) all=$(median all_workers)
  awk -v name="${name/_/ }" -v loop="$loop" -v one="$one" -v all="$all" -v bound="${bounds[$name]}" 'BEGIN {
    printf "| %s | %d | %d | %.1fx | %d | %.1fx | %dx |\n", name, loop, one, loop / one, all, loop / all, bound
    exit loop / one < bound
  }' || missed=1
done
exit "$missed"
