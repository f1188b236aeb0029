#!/usr/bin/env bash
# The whole process against the peers that are installed: medians by hyperfine, and each as a ratio.
#
#   cargo build --release && benches/process.sh [PATH/TO/wrun]
#
# Peers are taken from PATH, or from WASMTIME, WASMER, WASMI: the commands of those projects. What is not there is left out,
# and said so. RUNS (40) is how often each command runs.
# Caches are those of this script, in a folder that is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

wrun=$(realpath "${1:-target/$(rustc -vV | sed -n 's/^host: //p')/release/wrun}")
wasmtime=${WASMTIME:-$(command -v wasmtime || true)}
wasmer=${WASMER:-$(command -v wasmer || true)}
wasmi=${WASMI:-$(command -v wasmi || command -v wasmi_cli || true)}
runs=${RUNS:-40}
hyperfine=$(command -v hyperfine) || { echo 'hyperfine is not installed' >&2; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export WRUN_CACHE_DIR=$folder/wrun HOME=$folder/home XDG_CACHE_HOME=$folder/home/.cache WASMER_DIR=$folder/wasmer
export WASMER_CACHE_DIR=$folder/wasmer-cache
mkdir -p "$HOME" "$WASMER_DIR"
cp fixtures/add.wasm "$folder/add.wasm"

median() { # NAME: the median of the command of that name, in milliseconds
  awk -F, -v name="$1" '$1 == name { printf "%.2f", $4 * 1000 }' "$folder/times.csv"
}

row() { # WORK BOUND OURS THEIRS
  local work=$1 bound=$2 ours theirs
  "$hyperfine" -N --warmup "${WARMUP:-3}" --runs "${TIMES:-$runs}" --export-csv "$folder/times.csv" \
    --command-name ours "$3" --command-name theirs "$4" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
  ours=$(median ours) theirs=$(median theirs)
  awk -v w="$work" -v o="$ours" -v t="$theirs" -v b="$bound" \
    'BEGIN { printf "| %s | %.2f | %.2f | %.2fx | %s |\n", w, o, t, o / t, b }'
}

missing() { printf '| %s | | | not measured: no %s | |\n' "$1" "$2"; }

# What an empty program takes, in the same way it is linked by default here.
printf 'int main(void) { return 0; }\n' >"$folder/empty.c"
cc -O2 -o "$folder/empty" "$folder/empty.c"
add="$folder/add.wasm"

printf '| work | wrun, ms | peer, ms | ratio | bound |\n| --- | --- | --- | --- | --- |\n'
if [[ -n $wasmtime ]]; then
  row 'add, warm, wasmtime, against wasmtime' 0.35 "$wrun $add add 5 3" "$wasmtime run -C cache=y --invoke add $add 5 3"
  row 'add, cold, wasmtime, against wasmtime' 0.5 "$wrun --no-cache $add add 5 3" "$wasmtime run --invoke add $add 5 3"
else
  missing 'add, wasmtime' wasmtime
fi
if [[ -n $wasmer ]]; then
  row 'add, warm, wasmer, against wasmer' 0.3 "$wrun -r wasmer $add add 5 3" "$wasmer run --cranelift $add --invoke add 5 3"
  row 'add, cold, wasmer, against wasmer' 0.5 "$wrun -r wasmer --no-cache $add add 5 3" \
    "$wasmer run --cranelift --disable-cache $add --invoke add 5 3"
else
  missing 'add, wasmer' wasmer
fi
if [[ -n $wasmi ]]; then
  row 'add, warm, wasmtime, against wasmi' 1.0 "$wrun $add add 5 3" "$wasmi --invoke add $add 5 3"
else
  missing 'add against an interpreter' wasmi
fi
row '--version, against an empty C program' '+1.0 ms' "$wrun --version" "$folder/empty"
